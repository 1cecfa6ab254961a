"""The Helm chart, made of the kustomizations: one source for both."""
