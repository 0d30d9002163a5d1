{{/* Values that contradict each other where the schema cannot see it. Each refusal names the value and
     what to set; xtask/src/deploy/values.rs has a case of each. */}}
{{- define "foreword.check" -}}
{{- with .Values -}}
{{- if and (eq .tls.source "none") (not .access.apiKeys) (not .access.tokens.keysSecret.name) (not .access.insecure) -}}
{{- fail "tls.source is none: set access.apiKeys or access.tokens.keysSecret.name, or access.insecure if everybody may do everything" -}}
{{- end -}}
{{- if and .shop.enabled .access.apiKeys (eq .tls.source "none") (not .shop.apiKeySecret.name) -}}
{{- fail "shop.apiKeySecret.name: the shop needs a key where access.apiKeys is set and tls.source is none" -}}
{{- end -}}
{{- if .networkPolicy.enabled -}}
{{- if and (eq .database.kind "postgres") (not .networkPolicy.database) -}}
{{- fail "networkPolicy.database: database.kind is postgres, and nobody may reach it; set the peers of the database, such as [{ipBlock: {cidr: 192.0.2.7/32}}]; cidr 0.0.0.0/0 is any address" -}}
{{- end -}}
{{- if and .monitoring.enabled (not .networkPolicy.prometheus) -}}
{{- fail "networkPolicy.prometheus: monitoring.enabled is true, and nobody may read metrics; set the peers of Prometheus, such as a namespaceSelector" -}}
{{- end -}}
{{- if and (get (default dict .service.settings) "traces.otlp_endpoint") (not .networkPolicy.collector) -}}
{{- fail "networkPolicy.collector: service.settings has traces.otlp_endpoint, and nobody may send traces there; set the peers of the collector, such as a namespaceSelector" -}}
{{- end -}}
{{- if and .shop.enabled .shop.ingress.enabled (not .networkPolicy.ingress) -}}
{{- fail "networkPolicy.ingress: shop.ingress.enabled is true, and nobody may reach the shop; set the peers of the proxy in front, such as a namespaceSelector" -}}
{{- end -}}
{{- end -}}
{{- if and .monitoring.enabled (eq .tls.source "cert-manager") -}}
{{- $renewBefore := include "foreword.seconds" .tls.renewBefore | int -}}
{{- if or (lt $renewBefore 10800) (lt (mul 5 $renewBefore) (include "foreword.seconds" .tls.duration | int64)) -}}
{{- fail (printf "tls.renewBefore: found %s, expected 3h at least, and a fifth of tls.duration, %s: else alerts of monitoring.enabled would fire before certificates are replaced" .tls.renewBefore .tls.duration) -}}
{{- end -}}
{{- end -}}
{{- range $key, $_ := .service.settings -}}
{{- if has $key (list "serve.listen" "admin.listen" "transport.drain_ms" "transport.stream_grace_ms" "tls.certificate" "tls.key" "tls.client_ca" "store.database") -}}
{{- fail (printf "service.settings: %s is set by other values of this chart" $key) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A duration such as 1h30m in seconds. */}}
{{- define "foreword.seconds" -}}
{{- $seconds := 0 -}}
{{- range regexFindAll "[0-9]+[hms]" . -1 -}}
{{- $unit := get (dict "h" 3600 "m" 60 "s" 1) (regexFind "[hms]" .) -}}
{{- $seconds = add $seconds (mul $unit (regexFind "[0-9]+" . | atoi)) -}}
{{- end -}}
{{- $seconds -}}
{{- end -}}
