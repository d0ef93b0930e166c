"""Home shopping: schedules, products, what goes with them."""
