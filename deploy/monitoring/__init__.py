"""What watches the system: alerts, and a dashboard."""
