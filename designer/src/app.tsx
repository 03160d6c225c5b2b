import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "./app.css";

import { type CSSVariablesResolver, MantineProvider, createTheme } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { useState } from "react";
import { BrowserRouter } from "react-router";

import { Problem } from "./api/client";
import { Pages } from "./frame/Pages";

const theme = createTheme({ primaryColor: "indigo", primaryShade: { light: 7, dark: 7 }, fontFamily: "system-ui, sans-serif", autoContrast: true });

// The library's shades of secondary text and of errors lie below a contrast of 4.5 (WCAG 1.4.3), and it has none for warnings.
const readable: CSSVariablesResolver = () => ({
  variables: {},
  light: { "--warning-text": "#9a4b00", "--mantine-color-error": "#c92a2a", "--mantine-color-dimmed": "#495057", "--mantine-color-placeholder": "#5c636a" },
  dark: { "--warning-text": "#ffb366", "--mantine-color-error": "#ff8787", "--mantine-color-dimmed": "#b8b8b8", "--mantine-color-placeholder": "#a0a0a0" },
});

// A refusal is not tried again: only what may go away by itself is.
function newQueries() {
  return new QueryClient({
    defaultOptions: {
      queries: { retry: (failures, error) => failures < 3 && !(error instanceof Problem && error.status < 500), staleTime: 2_000 },
    },
  });
}

export function App({ nonce }: { nonce: string }) {
  const [queries] = useState(newQueries);
  return (
    <MantineProvider theme={theme} defaultColorScheme="auto" getStyleNonce={() => nonce} cssVariablesResolver={readable}>
      <Notifications />
      <QueryClientProvider client={queries}>
        <BrowserRouter>
          <Pages />
        </BrowserRouter>
      </QueryClientProvider>
    </MantineProvider>
  );
}
