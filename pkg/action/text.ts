import { shorten } from '../error/index.ts';

/** The names that say what an activeflow is. The service sets them; no action may. */
const OWN_VARIABLES: ReadonlySet<string> = new Set(
  ['id', 'reference_type', 'reference_id', 'reference_activeflow_id', 'flow_id', 'complete_count'].map(
    (name) => `voipbin.activeflow.${name}`,
  ),
);

export function isOwnVariable(name: string): boolean {
  return OWN_VARIABLES.has(name);
}

/** A text in quotes for the trace, cut where it is long. */
export function quote(text: string): string {
  return shorten(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
