"""Monitoring: alerting rules and a Grafana dashboard."""
