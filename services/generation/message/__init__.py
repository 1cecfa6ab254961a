"""The message on a picture: headline, button, price, logo and legal line, set beside the product."""
