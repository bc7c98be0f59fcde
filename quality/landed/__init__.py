"""The hand-over from landing to the gate: a landed extract and what landing claims of it."""
