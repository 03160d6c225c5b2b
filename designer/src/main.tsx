import { setNonce } from "get-nonce";
import { createRoot } from "react-dom/client";

import { App } from "./app";

// Style sheets that libraries make while they run carry the nonce of this page: the content security policy asks for it.
const nonce = document.querySelector<HTMLMetaElement>("meta[property=csp-nonce]")?.nonce ?? "";
setNonce(nonce);

createRoot(document.getElementById("root")!).render(<App nonce={nonce} />);
