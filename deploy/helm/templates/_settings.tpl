{{- /* Made of deploy/k8s by `python -m deploy.chart`. */ -}}
{{- define "settings.segmentation" -}}
{{- $settings := dict "SEGMENTATION_STOP_GRACE_SECONDS" "120" }}
{{- if .Values.mtls.enabled }}{{- $settings = merge (dict "SEGMENTATION_TLS_CA" "/tls/ca.crt" "SEGMENTATION_TLS_CERTIFICATE" "/tls/tls.crt" "SEGMENTATION_TLS_KEY" "/tls/tls.key") $settings }}{{- end }}
{{- if .Values.gpu.enabled }}{{- $settings = merge (dict "SEGMENTATION_DEVICE" "cuda") $settings }}{{- end }}
{{- range $name, $text := .Values.settings.segmentation }}{{- $settings = merge (dict $name (toString $text)) $settings }}{{- end }}
{{- toJson $settings }}
{{- end }}
{{- define "settings.inpainting" -}}
{{- $settings := dict "INPAINTING_STOP_GRACE_SECONDS" "90" }}
{{- if .Values.mtls.enabled }}{{- $settings = merge (dict "INPAINTING_TLS_CA" "/tls/ca.crt" "INPAINTING_TLS_CERTIFICATE" "/tls/tls.crt" "INPAINTING_TLS_KEY" "/tls/tls.key") $settings }}{{- end }}
{{- if .Values.gpu.enabled }}{{- $settings = merge (dict "INPAINTING_DEVICE" "cuda") $settings }}{{- end }}
{{- range $name, $text := .Values.settings.inpainting }}{{- $settings = merge (dict $name (toString $text)) $settings }}{{- end }}
{{- toJson $settings }}
{{- end }}
{{- define "settings.generation" -}}
{{- $settings := dict "GENERATION_STOP_GRACE_SECONDS" "150" }}
{{- if .Values.mtls.enabled }}{{- $settings = merge (dict "GENERATION_TLS_CA" "/tls/ca.crt" "GENERATION_TLS_CERTIFICATE" "/tls/tls.crt" "GENERATION_TLS_KEY" "/tls/tls.key") $settings }}{{- end }}
{{- range $name, $text := .Values.settings.generation }}{{- $settings = merge (dict $name (toString $text)) $settings }}{{- end }}
{{- toJson $settings }}
{{- end }}
{{- define "settings.history" -}}
{{- $settings := dict "HISTORY_STOP_GRACE_SECONDS" "30" }}
{{- if .Values.local.enabled }}{{- $settings = merge (dict "HISTORY_STORE" "disk") $settings }}{{- end }}
{{- if .Values.mtls.enabled }}{{- $settings = merge (dict "HISTORY_TLS_CA" "/tls/ca.crt" "HISTORY_TLS_CERTIFICATE" "/tls/tls.crt" "HISTORY_TLS_KEY" "/tls/tls.key") $settings }}{{- end }}
{{- range $name, $text := .Values.settings.history }}{{- $settings = merge (dict $name (toString $text)) $settings }}{{- end }}
{{- toJson $settings }}
{{- end }}
{{- define "settings.gateway" -}}
{{- $settings := dict "GATEWAY_STOP_GRACE_SECONDS" "240" }}
{{- if .Values.local.enabled }}{{- $settings = merge (dict "GATEWAY_OPEN_TO_ANYONE" "true") $settings }}{{- end }}
{{- if .Values.mtls.enabled }}{{- $settings = merge (dict "GATEWAY_TLS_CA" "/tls/ca.crt" "GATEWAY_TLS_CERTIFICATE" "/tls/tls.crt" "GATEWAY_TLS_KEY" "/tls/tls.key") $settings }}{{- end }}
{{- range $name, $text := .Values.settings.gateway }}{{- $settings = merge (dict $name (toString $text)) $settings }}{{- end }}
{{- toJson $settings }}
{{- end }}
{{- define "settings.weights" -}}
{{- $settings := dict }}
{{- range $name, $text := .Values.settings.weights }}{{- $settings = merge (dict $name (toString $text)) $settings }}{{- end }}
{{- toJson $settings }}
{{- end }}
