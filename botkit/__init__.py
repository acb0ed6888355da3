"""What makes any Python bot observable and controllable, with nothing but the standard library.

| module | job |
|---|---|
| `messages` | the wire format: limits, encode, decode, line splitting; no socket in it |
| `outbox` | what waits to be sent to one client: states may be lost, answers never |
| `link` | one client of the control socket: reads, answers, never harms another |
| `control_socket` | the server, in threads of its own; the engine only hands states over |
| `heartbeat` | where the engine is and how late, readable while it hangs |
| `kill_switch` | every reason why nothing may be ordered, consulted before every order |
| `hot_reload` | settings that change while the bot runs, or refuse with a sentence |
| `setting_values` | what a setting accepts, and the sentence that says so |
| `metrics_registry` | the bot's own counters and gauges, sent with each state |
"""
