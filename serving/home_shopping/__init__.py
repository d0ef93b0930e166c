"""Home shopping: schedules, products and what goes with them."""
