{{- /* The image of a process, by digest if one is given, else by tag. */ -}}
{{- define "image" -}}
{{- $root := index . 0 }}{{- $name := index . 1 }}
{{- $images := $root.Values.images }}
{{- $suffix := ternary "-cu130" "" (and $root.Values.gpu.enabled (has $name (list "segmentation" "inpainting"))) }}
{{- $place := printf "%sproduct-image-%s" $images.registry $name }}
{{- $digest := get $images.digests $name }}
{{- if $digest }}{{ printf "%s@%s" $place $digest }}{{ else }}{{ printf "%s:%s%s" $place ($images.tag | default $root.Chart.AppVersion) $suffix }}{{ end }}
{{- end }}
