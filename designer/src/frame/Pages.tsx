import { Center, Loader } from "@mantine/core";
import { Suspense } from "react";
import { Navigate, Route, Routes } from "react-router";

import { Login } from "../session/Login";
import { SessionContext, can, useCurrentSession } from "../session/session";
import { Failure, NothingHere } from "./states";
import { Shell } from "./Shell";
import { pages } from "./pageTable";

// Pages shows the page of the address to who may see it.
export function Pages() {
  const session = useCurrentSession();
  if (session.isPending) {
    return <Waiting />;
  }
  if (session.isError) {
    return <Failure error={session.error} retry={() => void session.refetch()} />;
  }
  if (!session.data) {
    return <Login />;
  }
  const who = session.data;
  const mine = pages.filter((page) => page.scopes.some((scope) => can(who, scope)));
  return (
    <SessionContext value={who}>
      <Shell entries={mine}>
        <Suspense fallback={<Waiting />}>
          <Routes>
            <Route path="/" element={<Navigate to={mine[0]?.path ?? "/nothing"} replace />} />
            {mine.map(({ path, page: Page }) => (
              <Route key={path} path={path} element={<Page />} />
            ))}
            <Route path="*" element={<NothingHere />} />
          </Routes>
        </Suspense>
      </Shell>
    </SessionContext>
  );
}

function Waiting() {
  return (
    <Center mih={200} role="status" aria-label="Loading">
      <Loader />
    </Center>
  );
}
