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

{{/* Those of service.settings that every command that opens the store goes by. */}}
{{- define "foreword.storeSettings" -}}
{{- $settings := dict -}}
{{- range $key, $value := .Values.service.settings -}}
{{- if hasPrefix "store." $key }}{{ $_ := set $settings $key $value }}{{ end -}}
{{- end -}}
{{- toJson $settings -}}
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
