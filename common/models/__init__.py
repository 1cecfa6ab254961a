"""Model files and the devices they run on."""
