/** Words that paths are made of; whatever else stands in one is an id, or came from outside. */
const WORD = /^[a-z][a-z_-]*$|^v\d$/;

/** A path as a metric's label: without the query, and with `{id}` for what varies. */
export function resourceOf(uri: string): string {
  const [path = ''] = uri.split('?');
  return path
    .split('/')
    .map((part) => (part === '' || WORD.test(part) ? part : '{id}'))
    .join('/');
}
