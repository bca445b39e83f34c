"""Where the data of a training comes from, as params: what a library of datasets says of one, as plain values."""
