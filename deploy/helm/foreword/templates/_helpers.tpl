{{/* The name of the release's parts: the release's own if that says foreword already. */}}
{{- define "foreword.name" -}}
{{- $name := .Release.Name -}}
{{- if not (contains "foreword" $name) }}{{ $name = printf "%s-foreword" $name }}{{ end -}}
{{- trunc 50 $name | trimSuffix "-" -}}
{{- end -}}

{{/* What stays for good: selectors. The argument is (list $ "service"). */}}
{{- define "foreword.selector" -}}
app.kubernetes.io/name: foreword
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "foreword.labels" -}}
{{ include "foreword.selector" . }}
{{- with index . 0 }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}
{{- end -}}

{{- define "foreword.image" -}}
{{- with .Values.image -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ with .digest }}@{{ . }}{{ end }}
{{- end -}}
{{- end -}}

{{/* What every pod has: no token, no root, little that it may ask of the kernel. */}}
{{- define "foreword.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile:
    type: RuntimeDefault
{{- end -}}

{{- define "foreword.container" -}}
image: {{ include "foreword.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end -}}

{{/* Memory as asked for, no less and no more; CPU without a limit, or trainings would eat it. */}}
{{- define "foreword.resources" -}}
resources:
  requests:
    cpu: {{ .cpuRequest | quote }}
    memory: {{ .memory | quote }}
  limits:
    memory: {{ .memory | quote }}
{{- end -}}

{{/* Replicas apart from each other, as far as there is room. The argument is as for labels. */}}
{{- define "foreword.spread" -}}
topologySpreadConstraints:
  {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "foreword.selector" $ | nindent 8 }}
  {{- end }}
{{- end -}}

{{/* "limits.open_calls_max": 100 as FOREWORD_LIMITS__OPEN_CALLS_MAX; lists as JSON. */}}
{{- define "foreword.settings" -}}
{{- range $key, $value := . }}
- name: FOREWORD_{{ $key | replace "." "__" | upper }}
  value: {{ (kindIs "string" $value | ternary $value (toJson $value)) | quote }}
{{- end }}
{{- end -}}

{{/* A setting from a mounted secret. The argument is (list KEY FOLDER SECRET). */}}
{{- define "foreword.secretSetting" -}}
- name: FOREWORD_{{ index . 0 | replace "." "__" | upper }}_FILE
  value: {{ index . 1 }}/{{ (index . 2).key }}
{{- end -}}

{{/* A volume of one key of a secret. The argument is (list NAME SECRET). */}}
{{- define "foreword.secretVolume" -}}
- name: {{ index . 0 }}
  secret:
    secretName: {{ (index . 1).name }}
    defaultMode: 0440
    items:
      - key: {{ (index . 1).key }}
        path: {{ (index . 1).key }}
{{- end -}}

{{- define "foreword.serverSecret" -}}
{{- .Values.tls.serverSecret | default (printf "%s-server-tls" (include "foreword.name" .)) -}}
{{- end -}}

{{- define "foreword.clientSecret" -}}
{{- .Values.tls.clientSecret | default (printf "%s-shop-tls" (include "foreword.name" .)) -}}
{{- end -}}

{{/* Where clients find all replicas: a name of the headless Service. */}}
{{- define "foreword.host" -}}
{{ include "foreword.name" . }}.{{ .Release.Namespace }}.svc.{{ .Values.clusterDomain }}
{{- end -}}

{{/* Who a part is, in its certificate. The argument is (list $ "shop"). */}}
{{- define "foreword.uri" -}}
{{- with index . 0 -}}
spiffe://{{ .Values.tls.trustDomain }}/ns/{{ .Release.Namespace }}/{{ include "foreword.name" . }}
{{- end }}/{{ index . 1 }}
{{- end -}}

{{/* The shop's certificate as access.certificates names it. */}}
{{- define "foreword.shopCertificate" -}}
{{- .Values.access.shopCertificate | default (printf "uri:%s" (include "foreword.uri" (list . "shop"))) -}}
{{- end -}}

{{/* Values that contradict each other; the schema cannot see all of them. */}}
{{- define "foreword.check" -}}
{{- with .Values -}}
{{- if and (eq .database.kind "sqlite") (gt (int .service.replicas) 1) -}}
{{- fail "service.replicas: SQLite is for one replica; set 1, or database.kind to postgres" -}}
{{- end -}}
{{- if and (eq .tls.source "none") (not .access.apiKeys) (not .access.tokens.keysSecret.name) (not .access.insecure) -}}
{{- fail "tls.source is none: set access.apiKeys or access.tokens.keysSecret.name, or access.insecure if everybody may do everything" -}}
{{- end -}}
{{- if and .shop.enabled .access.apiKeys (eq .tls.source "none") (not .shop.apiKeySecret.name) -}}
{{- fail "shop.apiKeySecret.name: the shop needs a key where access.apiKeys is set and tls.source is none" -}}
{{- end -}}
{{- if and .monitoring.enabled .networkPolicy.enabled (not .networkPolicy.prometheus) -}}
{{- fail "networkPolicy.prometheus: monitoring.enabled is true, and nobody may read metrics" -}}
{{- end -}}
{{- if and .shop.enabled .shop.ingress.enabled .networkPolicy.enabled (not .networkPolicy.ingress) -}}
{{- fail "networkPolicy.ingress: shop.ingress.enabled is true, and nobody may reach the shop" -}}
{{- end -}}
{{- range $key, $_ := .service.settings -}}
{{- if has $key (list "serve.listen" "admin.listen" "transport.drain_ms" "transport.stream_grace_ms" "tls.certificate" "tls.key" "tls.client_ca" "store.database") -}}
{{- fail (printf "service.settings: %s is set by other values of this chart" $key) -}}
{{- end -}}
{{- end -}}
{{- range $key, $_ := .shop.settings -}}
{{- if not (or (hasPrefix "marketplace." $key) (hasPrefix "log." $key)) -}}
{{- fail (printf "shop.settings: %s is no setting of the shop; those begin with marketplace. or log." $key) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
