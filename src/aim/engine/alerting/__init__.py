"""Alerts that reach people: rules, the channels by which they go, what is delivered, and when again."""
