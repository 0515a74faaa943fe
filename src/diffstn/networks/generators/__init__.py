"""From noise to items, in one step."""
