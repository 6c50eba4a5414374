// How many levels of fields a table shows.
const levels = 4;

// expand gives fields that name another one, whose attributes they have, those attributes: a page writes what repeats
// in a table once. The result has the levels that a page without this would have.
export function expand(fields, all = fields, level = 1) {
  return fields.map((field) => {
    const children = level < levels ? attributes(field, all) : undefined;
    return {...field, children: children && expand(children, all, level + 1)};
  });
}

// attributes returns the fields inside of a field, where they are written. hops counts the names followed.
function attributes(field, all, hops = 0) {
  if (field?.same === undefined) return field?.children;
  return hops < levels ? attributes(at(all, all, field.same, hops + 1), all, hops + 1) : undefined;
}

// at returns the field at a path. Names may have dots.
function at(fields, all, path, hops) {
  for (const field of fields ?? []) {
    if (path === field.name) return field;
    if (!path.startsWith(`${field.name}.`)) continue;
    const found = at(attributes(field, all, hops), all, path.slice(field.name.length + 1), hops);
    if (found) return found;
  }
  return undefined;
}
