//! What names something else in the manifests names something that is there: a cluster would not say.

use serde_json::Value;

use super::manifests::{Manifests, list, text};

const SETS: [&str; 5] = ["everything", "given-secrets", "mtls-cert-manager", "postgres", "sqlite"];

/// A pod as its Deployment or Job makes it.
struct Pod<'a> {
    labels: &'a Value,
    spec: &'a Value,
}

impl Manifests {
    fn pods(&self) -> Vec<Pod<'_>> {
        let owners = self.all("Deployment").chain(self.all("Job"));
        let templates = owners.map(|owner| &owner["spec"]["template"]);
        templates
            .map(|template| Pod {
                labels: &template["metadata"]["labels"],
                spec: &template["spec"],
            })
            .collect()
    }
}

impl Pod<'_> {
    /// Whether it has all labels of a selector.
    fn is_selected(&self, selector: &Value) -> bool {
        let wanted = selector["matchLabels"].as_object().unwrap();
        wanted.iter().all(|(name, value)| self.labels[name] == *value)
    }

    fn has_port(&self, port: &Value) -> bool {
        list(&self.spec["containers"][0]["ports"]).any(|it| it["name"] == *port)
    }
}

/// The pods that a selector selects: some.
fn selected<'a>(pods: &'a [Pod<'a>], selector: &Value) -> Vec<&'a Pod<'a>> {
    let found: Vec<&Pod<'_>> = pods.iter().filter(|pod| pod.is_selected(selector)).collect();
    assert!(!found.is_empty(), "{selector} selects nothing");
    found
}

#[test]
fn services_budgets_and_monitors_select_what_is_there() {
    for set in SETS {
        let manifests = Manifests::read(set);
        let pods = manifests.pods();
        for service in manifests.all("Service") {
            let selector = serde_json::json!({ "matchLabels": service["spec"]["selector"] });
            let found = selected(&pods, &selector);
            assert_eq!(found.len(), 1, "{set}: {selector}");
            for port in list(&service["spec"]["ports"]) {
                assert!(found[0].has_port(&port["targetPort"]), "{set}: {port}");
            }
        }
        for owner in manifests.all("PodDisruptionBudget").chain(manifests.all("Deployment")) {
            assert_eq!(selected(&pods, &owner["spec"]["selector"]).len(), 1, "{set}");
        }
        for monitor in manifests.all("ServiceMonitor") {
            let wanted = monitor["spec"]["selector"]["matchLabels"].as_object().unwrap();
            let is_wanted = |service: &&Value| {
                wanted.iter().all(|(name, value)| service["metadata"]["labels"][name] == *value)
            };
            let service = manifests.all("Service").find(is_wanted).unwrap();
            let port = &monitor["spec"]["endpoints"][0]["port"];
            assert!(list(&service["spec"]["ports"]).any(|it| it["name"] == *port), "{set}");
        }
        for rule in manifests.all("Ingress").flat_map(|ingress| list(&ingress["spec"]["rules"])) {
            let backend = &rule["http"]["paths"][0]["backend"]["service"];
            let service = manifests.get("Service", text(&backend["name"]));
            let port = &backend["port"]["name"];
            assert!(list(&service["spec"]["ports"]).any(|it| it["name"] == *port), "{set}");
        }
    }
}

#[test]
fn policies_deny_all_and_let_the_shop_reach_the_service() {
    for set in SETS {
        let manifests = Manifests::read(set);
        let pods = manifests.pods();
        let deny = &manifests.get("NetworkPolicy", "foreword-deny")["spec"];
        assert!(pods.iter().all(|pod| pod.is_selected(&deny["podSelector"])), "{set}");
        assert_eq!(deny["policyTypes"], serde_json::json!(["Ingress", "Egress"]));
        assert!(list(&deny["ingress"]).chain(list(&deny["egress"])).next().is_none());

        // Each pod has one policy of its own, and ports that are named there are its own.
        for policy in manifests.all("NetworkPolicy").filter(|it| it["spec"] != *deny) {
            let found = selected(&pods, &policy["spec"]["podSelector"]);
            assert_eq!(found.len(), 1, "{set}");
            for port in list(&policy["spec"]["ingress"]).flat_map(|rule| list(&rule["ports"])) {
                assert!(found[0].has_port(&port["port"]), "{set}: {port}");
            }
        }
        let [service, shop] = ["foreword", "foreword-shop"].map(|name| {
            let policy = &manifests.get("NetworkPolicy", name)["spec"];
            (policy, selected(&pods, &policy["podSelector"])[0])
        });
        let lets = |rule: &Value, peers: &str, pod: &Pod<'_>| {
            let is_named = list(&rule[peers]).any(|peer| {
                peer["podSelector"].is_object() && pod.is_selected(&peer["podSelector"])
            });
            is_named && list(&rule["ports"]).any(|it| it["port"] == "grpc")
        };
        assert!(list(&service.0["ingress"]).any(|rule| lets(rule, "from", shop.1)), "{set}");
        assert!(list(&shop.0["egress"]).any(|rule| lets(rule, "to", service.1)), "{set}");
    }
}

/// The weight of a resource that is there before the release is; else none.
fn weight(resource: &Value) -> Option<i64> {
    let annotations = &resource["metadata"]["annotations"];
    let is_hook = annotations["helm.sh/hook"] == "pre-install,pre-upgrade";
    is_hook.then(|| text(&annotations["helm.sh/hook-weight"]).parse().unwrap())
}

#[test]
fn what_the_migration_needs_is_there_before_it() {
    for set in SETS {
        let manifests = Manifests::read(set);
        let Some(job) = manifests.find("Job", "foreword-migration") else {
            assert_eq!(set, "sqlite");
            continue;
        };
        let pod = &job["spec"]["template"]["spec"];
        let account = manifests.get("ServiceAccount", text(&pod["serviceAccountName"]));
        let policy = manifests.get("NetworkPolicy", "foreword-migration");
        for needed in [account, policy] {
            assert!(weight(needed).unwrap() < weight(job).unwrap(), "{set}: {needed}");
        }
        // Its files are secrets that the chart does not make.
        assert!(list(&pod["volumes"]).all(|volume| volume["configMap"].is_null()));
        let hooks = manifests.all("Deployment").chain(manifests.all("ConfigMap"));
        assert!(hooks.into_iter().all(|it| weight(it).is_none()), "{set}");
    }
}

#[test]
fn every_pod_is_restricted() {
    for set in SETS {
        for Pod { spec, .. } in Manifests::read(set).pods() {
            assert_eq!(spec["automountServiceAccountToken"], false);
            assert_eq!(spec["securityContext"]["runAsNonRoot"], true);
            assert_eq!(spec["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
            let container = &spec["containers"][0];
            let context = &container["securityContext"];
            assert_eq!(context["readOnlyRootFilesystem"], true);
            assert_eq!(context["allowPrivilegeEscalation"], false);
            assert_eq!(context["capabilities"], serde_json::json!({ "drop": ["ALL"] }));
            let resources = &container["resources"];
            assert_eq!(resources["limits"]["memory"], resources["requests"]["memory"]);
            assert!(
                resources["limits"]["cpu"].is_null() && resources["requests"]["cpu"].is_string()
            );
        }
    }
}
