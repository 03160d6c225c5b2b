import { Anchor } from "@mantine/core";
import { Link } from "react-router";

import { type Numbers, type RowsOf, linkTo } from "./numbers";

// Behind is a number that leads to the contacts behind it.
export function Behind({ numbers, rows, children }: { numbers: Numbers; rows: RowsOf; children: string }) {
  return (
    <Anchor component={Link} to={linkTo(numbers.journey, numbers.version, rows)} underline="always" inherit c="var(--mantine-color-text)">
      {children}
    </Anchor>
  );
}
