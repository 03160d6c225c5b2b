import { useQuery } from "@tanstack/react-query";
import { useParams } from "react-router";

import { api, result } from "../api/client";
import { Loaded, Page } from "../frame/states";
import { PlanForm } from "./PlanForm";
import { Progress } from "./Progress";
import type { Plan } from "./words";

const fresh: Plan = { name: "", segment: "", template: "", schedule: { kind: "now" } };

// BroadcastPage is where a broadcast is planned, and once it is started, where one sees how far it is.
export default function BroadcastPage() {
  const id = useParams().id!;
  const isNew = id === "new";
  const broadcast = useQuery({
    queryKey: ["broadcast", id],
    queryFn: () => result(api.GET("/v1/broadcasts/{id}", { params: { path: { id } } })),
    enabled: !isNew,
    refetchOnWindowFocus: false,
    refetchInterval: ({ state }) => (state.data && ["scheduled", "running", "deciding", "paused"].includes(state.data.state) ? 2000 : false),
  });
  if (isNew) {
    return (
      <Page title="New broadcast">
        <PlanForm plan={fresh} />
      </Page>
    );
  }
  return (
    <Page title={broadcast.data?.plan.name || "Broadcast"}>
      <Loaded query={broadcast}>
        {(loaded) => (loaded.state === "draft" ? <PlanForm key={loaded.id} id={loaded.id} plan={loaded.plan} revision={loaded.revision} /> : <Progress broadcast={loaded} />)}
      </Loaded>
    </Page>
  );
}
