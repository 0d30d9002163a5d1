{{/* The service's settings file. What service.settings says is environment, which counts more. */}}
{{- define "foreword.toml" -}}
[serve]
listen = ["0.0.0.0:50051"]

[admin]
listen = ["0.0.0.0:50052"]

[log]
format = "json"

[transport]
stream_grace_ms = {{ mul .Values.service.streamGraceSeconds 1000 }}
drain_ms = {{ mul .Values.service.drainSeconds 1000 }}
{{- if ne .Values.tls.source "none" }}

[tls]
certificate = "/etc/foreword/tls/tls.crt"
key = "/etc/foreword/tls/tls.key"
client_ca = "/etc/foreword/tls/ca.crt"
{{- end }}

[access]
api_keys = {{ .Values.access.apiKeys }}
{{- with .Values.access.tokens }}
{{- if .keysSecret.name }}
jwt_keys = "/etc/foreword/tokens/{{ .keysSecret.key }}"
jwt_issuer = {{ .issuer | quote }}
jwt_audience = {{ .audience | quote }}
{{- end }}
{{- end }}
certificate_roles = {{ toJson .Values.access.otherCertificates }}

[access.certificates]
{{- $shop := include "foreword.shopCertificate" . }}
{{- if and .Values.shop.enabled (ne .Values.tls.source "none") }}
{{ $shop | quote }} = ["reader", "writer", "admin"]
{{- end }}
{{- range $name, $roles := omit .Values.access.certificates $shop }}
{{ $name | quote }} = {{ toJson $roles }}
{{- end }}
{{- end -}}
