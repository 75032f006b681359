{{- define "purlin.dhcp.name" -}}
{{ .Values.dhcp.name | default (printf "%s-dhcp" .Release.Name) }}
{{- end }}

{{- define "purlin.ovn.name" -}}
{{ .Values.ovn.name | default (printf "%s-ovn" .Release.Name) }}
{{- end }}

{{- define "purlin.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* Shares of cpu and memory that an autoscaler aims at; of an `autoscaling` of the values. */}}
{{- define "purlin.metrics" -}}
{{- range $name := list "cpu" "memory" }}
- type: Resource
  resource:
    name: {{ $name }}
    target: {type: Utilization, averageUtilization: {{ index $ $name }}}
{{- end }}
{{- end }}

{{/* Where pods run and whose images they may take; of a service of the values, with the root as `root`. */}}
{{- define "purlin.placement" -}}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "purlin.pulling" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
