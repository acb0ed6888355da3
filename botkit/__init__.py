"""What makes any Python bot observable and controllable, with nothing but the standard library.

| module | job |
|---|---|
| `messages` | the wire format: limits, encode, decode, line splitting; no socket in it |
| `allowance`, `outbox` | how much one client may ask, and what waits to be sent to it |
| `commands` | one command in, one answer out; no socket in it |
| `link` | one client of the control socket: reads, answers, never harms another |
| `control_socket` | the server, in threads of its own; the engine only hands states over |
| `heartbeat` | where the engine is and how late, readable while it hangs |
| `kill_switch` | every reason why nothing may be ordered, consulted before every order |
| `kill_triggers`, `kill_file` | the limits that halt by themselves, and the file that survives restarts |
| `hot_reload` | settings that change while the bot runs, or refuse with a sentence |
| `setting_values` | what a setting accepts, and the sentence that says so |
| `metrics_registry` | the bot's own counters and gauges, sent with each state |
"""
