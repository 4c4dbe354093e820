"""What the status of a prediction of generalised linear estimation says, bit by bit."""

NOT_SEPARABLE = 2
DIVERGES = 4
HARD = 8
