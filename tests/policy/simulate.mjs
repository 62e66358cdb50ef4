// Answers requests with an evaluator that is not ours: a JSON line {kind, policy, request, boundary} in, true or false
// out. Identity policies are asked for a principal of the resource's account; a resource policy across accounts, with
// an identity side that allows everything, so that the resource policy alone decides.
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { join } from "node:path";

const modules = join(process.argv[2], "node_modules/@cloud-copilot");
const load = (path) => import(pathToFileURL(join(modules, path)));
const { loadPolicy } = await load("iam-policy/dist/esm/index.js");
const { authorize } = await load("iam-simulate/dist/esm/core_engine/CoreSimulatorEngine.js");
const { AwsRequestImpl } = await load("iam-simulate/dist/esm/request/request.js");
const { RequestContextImpl } = await load("iam-simulate/dist/esm/requestContext.js");
const { DiscoveryContextKeyConstraints } = await load(
  "iam-simulate/dist/esm/context_keys/discoveryContextKeyConstraints.js",
);
const { anonymousPrincipal } = await load("iam-simulate/dist/esm/index.js");
const everything = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] };
const named = (policy) => loadPolicy(policy, { name: "policy" });

const answer = ({ kind, policy, request, boundary }) => {
  const context = {};
  for (const [key, values] of Object.entries(request.context)) {
    context[key] = values.length === 1 && key.toLowerCase() !== "aws:tagkeys" ? values[0] : values;
  }
  const identity = kind === "identity";
  const accountId = identity ? request.principal.split(":")[4] : "999999999999";
  const principal = request.principal === "*" ? anonymousPrincipal : request.principal;
  const resource = { resource: request.resource, accountId };
  const analysis = authorize({
    request: new AwsRequestImpl(principal, resource, request.action, new RequestContextImpl(context)),
    sessionPolicy: undefined,
    identityPolicies: [named(identity ? policy : everything)],
    serviceControlPolicies: [],
    resourceControlPolicies: [],
    resourcePolicy: identity ? undefined : named(policy),
    permissionBoundaries: boundary ? [named(boundary)] : undefined,
    vpcEndpointPolicies: undefined,
    simulationParameters: {
      simulationMode: "Strict",
      discoveryContextKeyConstraints: new DiscoveryContextKeyConstraints([]),
    },
    serviceSettings: { s3: {} },
  });
  return analysis.result === "Allowed";
};

for await (const line of createInterface({ input: process.stdin })) {
  try {
    process.stdout.write(`${answer(JSON.parse(line))}\n`);
  } catch (error) {
    process.stdout.write(`error ${error.message.replaceAll("\n", " ")}\n`);
  }
}
