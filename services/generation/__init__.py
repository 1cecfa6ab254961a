"""The generation service: backgrounds, copy and finished creatives."""
