"""Prints what an account holds as JSON, read by boto3 alone: the judge that is not our own reader."""

import base64
import json

import boto3

iam, ecr, logs = boto3.client("iam"), boto3.client("ecr"), boto3.client("logs")
ecs, secrets = boto3.client("ecs"), boto3.client("secretsmanager")


def tags(found, key="Key", value="Value"):
    return {tag[key]: tag[value] for tag in found or []}


def canonical(document):
    return json.loads(document) if isinstance(document, str) else document


def pages(client, operation, member, **arguments):
    if client.can_paginate(operation):
        for page in client.get_paginator(operation).paginate(**arguments):
            yield from page[member]
    else:
        yield from getattr(client, operation)(**arguments)[member]


def none_if_missing(read):
    try:
        return read()
    except Exception as error:
        if "NotFound" in type(error).__name__ or "NotFound" in str(error):
            return None
        raise


def role(found):
    name = found["RoleName"]
    whole = iam.get_role(RoleName=name)["Role"]
    inline = iam.list_role_policies(RoleName=name)["PolicyNames"]
    attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    return {
        "id": whole["RoleId"],
        "path": whole["Path"],
        "description": whole.get("Description") or None,
        "session": whole.get("MaxSessionDuration"),
        "trust": canonical(whole["AssumeRolePolicyDocument"]),
        "boundary": whole.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
        "attached": sorted(policy["PolicyArn"] for policy in attached),
        "inline": {
            policy: canonical(iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"])
            for policy in inline
        },
        "tags": tags(iam.list_role_tags(RoleName=name)["Tags"]),
    }


def policy(found):
    arn = found["Arn"]
    versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    default = next(version["VersionId"] for version in versions if version["IsDefaultVersion"])
    read = iam.get_policy_version(PolicyArn=arn, VersionId=default)["PolicyVersion"]
    return {
        "id": found["PolicyId"],
        "versions": sorted(version["VersionId"] for version in versions),
        "document": canonical(read["Document"]),
        "tags": tags(iam.list_policy_tags(PolicyArn=arn)["Tags"]),
    }


def provider(arn):
    found = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    return {
        "url": found["Url"].removeprefix("https://"),
        "clients": sorted(found["ClientIDList"]),
        "thumbprints": found["ThumbprintList"],
        "tags": tags(found.get("Tags")),
    }


def repository(found):
    name = found["repositoryName"]
    lifecycle = none_if_missing(lambda: ecr.get_lifecycle_policy(repositoryName=name)["lifecyclePolicyText"])
    resource = none_if_missing(lambda: ecr.get_repository_policy(repositoryName=name)["policyText"])
    return {
        "mutability": found["imageTagMutability"],
        "encryption": found["encryptionConfiguration"]["encryptionType"],
        "lifecycle": canonical(lifecycle),
        "policy": canonical(resource),
        "created": str(found["createdAt"]),
        "tags": tags(ecr.list_tags_for_resource(resourceArn=found["repositoryArn"])["tags"]),
    }


def log_group(found):
    arn = found["arn"].removesuffix(":*")
    return {
        "retention": found.get("retentionInDays"),
        "tags": logs.list_tags_for_resource(resourceArn=arn)["tags"],
    }


def secret(found):
    name = found["Name"]
    described = secrets.describe_secret(SecretId=name)
    deleted = described.get("DeletedDate") is not None
    value = None if deleted else none_if_missing(lambda: secrets.get_secret_value(SecretId=name)["SecretString"])
    return {
        "deleted": deleted,
        # Only its length leaves this process.
        "bytes": len(base64.b64decode(value)) if value else 0,
        "tags": tags(described.get("Tags")),
    }


def cluster(found):
    return {
        "status": found["status"],
        "settings": {setting["name"]: setting["value"] for setting in found.get("settings", [])},
        "tags": tags(found.get("tags"), "key", "value"),
    }


def service(found):
    kept = [
        "status",
        "desiredCount",
        "launchType",
        "taskDefinition",
        "networkConfiguration",
        "deploymentConfiguration",
    ]
    read = ecs.list_tags_for_resource(resourceArn=found["serviceArn"])["tags"]
    return {key: found.get(key) for key in kept} | {"tags": tags(read, "key", "value")}


def definition(arn):
    found = ecs.describe_task_definition(taskDefinition=arn, include=["TAGS"])
    whole = found["taskDefinition"]
    dropped = {"registeredAt", "registeredBy", "deregisteredAt"}
    return {key: value for key, value in whole.items() if key not in dropped} | {
        "tags": tags(found.get("tags"), "key", "value"),
    }


def services(cluster_arn):
    arns = ecs.list_services(cluster=cluster_arn)["serviceArns"]
    found = ecs.describe_services(cluster=cluster_arn, services=arns)["services"] if arns else []
    name = cluster_arn.rsplit("/", 1)[1]
    return {name + "/" + one["serviceName"]: service(one) for one in found if one["status"] != "INACTIVE"}


clusters = ecs.list_clusters()["clusterArns"]
described = ecs.describe_clusters(clusters=clusters, include=["TAGS", "SETTINGS"])["clusters"] if clusters else []
account = {
    "roles": {one["RoleName"]: role(one) for one in pages(iam, "list_roles", "Roles")},
    "policies": {one["PolicyName"]: policy(one) for one in pages(iam, "list_policies", "Policies", Scope="Local")},
    "providers": {
        one["Arn"]: provider(one["Arn"])
        for one in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
    },
    "repositories": {one["repositoryName"]: repository(one) for one in pages(ecr, "describe_repositories", "repositories")},
    "log_groups": {one["logGroupName"]: log_group(one) for one in pages(logs, "describe_log_groups", "logGroups")},
    "secrets": {
        one["Name"]: secret(one) for one in pages(secrets, "list_secrets", "SecretList", IncludePlannedDeletion=True)
    },
    "clusters": {one["clusterName"]: cluster(one) for one in described if one["status"] != "INACTIVE"},
    "services": {key: value for arn in clusters for key, value in services(arn).items()},
    "definitions": {
        arn.rsplit("/", 1)[1]: definition(arn)
        for status in ("ACTIVE", "INACTIVE")
        for arn in ecs.list_task_definitions(status=status)["taskDefinitionArns"]
    },
}
print(json.dumps(account, sort_keys=True, default=str))
