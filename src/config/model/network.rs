//! What connects a service: network, load balancers, registries, Service Connect, VPC Lattice.

use std::collections::BTreeMap;

use super::{LogDriver, RoleReference, Seconds, SecretReference};
use crate::config::table::{choice, table};

table! {
    /// Where the tasks of an `awsvpc` service stand.
    pub struct Network {
        /// Subnet ids, at most 16.
        subnets: Vec<String>,
        /// Security group ids, at most 5; none: the VPC's default group.
        security_groups: Vec<String> = Vec::new(),
        /// Whether tasks get a public address.
        assign_public_ip: bool = false,
    }
}

table! {
    /// One target group, or one Classic Load Balancer, that a container answers for.
    pub struct LoadBalancer {
        /// The target group's ARN.
        target_group_arn: Option<String>,
        /// The name of a Classic Load Balancer, instead of a target group.
        load_balancer_name: Option<String>,
        /// The container that answers.
        container_name: String,
        /// Its port.
        container_port: i32,
        /// What blue/green, linear and canary deployments need.
        advanced_configuration: Option<AdvancedConfiguration>,
    }
}

table! {
    /// The second target group and the listener rules between which traffic shifts.
    pub struct AdvancedConfiguration {
        /// The ARN of the second target group.
        alternate_target_group_arn: Option<String>,
        /// The ARN of the listener rule of production traffic.
        production_listener_rule: Option<String>,
        /// The ARN of the listener rule of test traffic.
        test_listener_rule: Option<String>,
        /// The role with which ECS changes the rules: a declared role, or an ARN.
        role: Option<RoleReference>,
    }
}

table! {
    /// A Cloud Map service in which tasks are registered.
    pub struct ServiceRegistry {
        /// The registry's ARN.
        registry_arn: String,
        /// The port of an SRV record.
        port: Option<i32>,
        /// The container of an SRV record.
        container_name: Option<String>,
        /// The container's port of an SRV record.
        container_port: Option<i32>,
    }
}

table! {
    /// Service Connect of a service.
    pub struct ServiceConnect {
        /// Whether it is used.
        enabled: bool = true,
        /// The Cloud Map namespace, name or ARN.
        namespace: Option<String>,
        /// What this service offers.
        services: Vec<ServiceConnectService> = Vec::new(),
        /// Where the proxy logs.
        log_configuration: Option<LogConfiguration>,
        /// The proxy's access log.
        access_log_configuration: Option<ServiceConnectAccessLog>,
    }
}

table! {
    /// One endpoint that a service offers through Service Connect.
    pub struct ServiceConnectService {
        /// The name of a port mapping of the task.
        port_name: String,
        /// The name in Cloud Map; none: `port_name`.
        discovery_name: Option<String>,
        /// The names and ports under which clients find it.
        client_aliases: Vec<ServiceConnectClientAlias> = Vec::new(),
        /// The port of the proxy for traffic from outside the namespace.
        ingress_port_override: Option<i32>,
        /// Timeouts of the proxy.
        timeout: Option<ServiceConnectTimeout>,
        /// TLS between proxies.
        tls: Option<ServiceConnectTls>,
    }
}

table! {
    /// A name and port under which clients find an endpoint.
    pub struct ServiceConnectClientAlias {
        /// The port.
        port: i32,
        /// The name; none: `discovery_name.namespace`.
        dns_name: Option<String>,
        /// Which requests are test traffic in a blue/green deployment.
        test_traffic_rules: Option<TestTrafficRules>,
    }
}

table! {
    /// Which requests are test traffic.
    pub struct TestTrafficRules {
        /// Those with this header.
        header: TestTrafficHeader,
    }
}

table! {
    /// A header that marks test traffic.
    pub struct TestTrafficHeader {
        /// The header's name.
        name: String,
        /// The value it must have; none: any.
        value: Option<TestTrafficHeaderValue>,
    }
}

table! {
    /// The value that a header must have.
    pub struct TestTrafficHeaderValue {
        /// The exact value.
        exact: String,
    }
}

table! {
    /// Timeouts of the Service Connect proxy.
    pub struct ServiceConnectTimeout {
        /// How long a connection may be idle; 0 for ever.
        idle_timeout: Option<Seconds>,
        /// How long a request may take; 0 for ever.
        per_request_timeout: Option<Seconds>,
    }
}

table! {
    /// TLS between Service Connect proxies.
    pub struct ServiceConnectTls {
        /// The certificate authority.
        issuer_certificate_authority: CertificateAuthority,
        /// The KMS key that encrypts the certificate's key.
        kms_key: Option<String>,
        /// The role that reads the certificate: a declared role, or an ARN.
        role: Option<RoleReference>,
    }
}

table! {
    /// A certificate authority of AWS Private CA.
    pub struct CertificateAuthority {
        /// Its ARN.
        aws_pca_authority_arn: String,
    }
}

table! {
    /// The access log of the Service Connect proxy.
    pub struct ServiceConnectAccessLog {
        /// Its format.
        format: AccessLogFormat,
        /// Whether query parameters are logged.
        include_query_parameters: bool = false,
    }
}

choice! {
    /// The format of an access log.
    pub enum AccessLogFormat {
        /// Lines of text.
        Text = "TEXT",
        /// One JSON object per line.
        Json = "JSON",
    }
}

table! {
    /// A target group of VPC Lattice.
    pub struct VpcLattice {
        /// The role with which ECS registers targets: a declared role, or an ARN.
        role: RoleReference,
        /// The target group's ARN.
        target_group_arn: String,
        /// The name of a port mapping of the task.
        port_name: String,
        /// What blue/green deployments need.
        advanced_configuration: Option<VpcLatticeAdvancedConfiguration>,
    }
}

table! {
    /// The second target group and the rules between which VPC Lattice traffic shifts.
    pub struct VpcLatticeAdvancedConfiguration {
        /// The ARN of the second target group.
        alternate_target_group_arn: Option<String>,
        /// The ARN of the rule of production traffic.
        production_listener_rule: Option<String>,
        /// The ARN of the rule of test traffic.
        test_listener_rule: Option<String>,
    }
}

table! {
    /// Where and how a container logs.
    pub struct LogConfiguration {
        /// The log driver.
        log_driver: LogDriver,
        /// The driver's options.
        options: BTreeMap<String, String> = BTreeMap::new(),
        /// Options whose values are secrets.
        secret_options: BTreeMap<String, SecretReference> = BTreeMap::new(),
    }
}
