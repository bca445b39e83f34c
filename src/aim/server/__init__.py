"""The pages of `aim up` and the interface that they use (docs/formats/wire.md)."""
