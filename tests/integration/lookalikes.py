"""Makes what looks like ours and is not: near names without a mark, and another project's mark."""

import json

import boto3

iam, ecr, logs = boto3.client("iam"), boto3.client("ecr"), boto3.client("logs")
ecs, secrets, ec2 = boto3.client("ecs"), boto3.client("secretsmanager"), boto3.client("ec2")
theirs = "back-end-tools@us-east-2"
trust = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)
document = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ecr:ListImages", "Resource": "*"}]}
)
iam.create_role(RoleName="GitHubActions-ECR-Push-2", AssumeRolePolicyDocument=trust)
iam.put_role_policy(RoleName="GitHubActions-ECR-Push-2", PolicyName="list", PolicyDocument=document)
iam.create_role(
    RoleName="ecsTaskExecutionRole-tools",
    AssumeRolePolicyDocument=trust,
    Tags=[{"Key": "provision:owner", "Value": theirs}],
)
policy = iam.create_policy(PolicyName="GitHubActions-ECR-Push-Policy-2", PolicyDocument=document)["Policy"]["Arn"]
iam.attach_role_policy(RoleName="ecsTaskExecutionRole-tools", PolicyArn=policy)
ecr.create_repository(repositoryName="back-end-tools", tags=[{"Key": "provision:owner", "Value": theirs}])
ecr.create_repository(repositoryName="back-end/cache")
logs.create_log_group(logGroupName="/ecs/back-end-staging-old")
logs.create_log_group(logGroupName="/ecs/tools", tags={"provision:owner": theirs})
secrets.create_secret(Name="back-end/jwt-secret-key", SecretString="b3RoZXI=")
secrets.create_secret(Name="tools/key", SecretString="b3RoZXI=", Tags=[{"Key": "provision:owner", "Value": theirs}])
ecs.create_cluster(clusterName="operationcode-tools")
ecs.register_task_definition(
    # The family of our service, with a revision before ours that is not ours.
    family="back-end-staging",
    networkMode="awsvpc",
    requiresCompatibilities=["FARGATE"],
    cpu="256",
    memory="512",
    containerDefinitions=[{"name": "web", "image": "public.example/web:1", "essential": True}],
)
subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
group = ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"]
ecs.create_service(
    cluster="operationcode-tools",
    serviceName="back-end-staging",
    taskDefinition="back-end-staging:1",
    desiredCount=1,
    launchType="FARGATE",
    networkConfiguration={"awsvpcConfiguration": {"subnets": [subnet], "securityGroups": [group]}},
    tags=[{"key": "provision:owner", "value": theirs}],
)
