// What the exporter says each second, over server-sent events. Only while the page is looked at: a browser keeps
// few connections to one place, and hidden pages must not take the ones that a kill needs.
"use strict";

/** Call `heard` with each message. Without a stream nothing is called; whoever listens has to notice. */
export function listen(heard) {
  let source = null;
  const open = () => {
    if (document.hidden) {
      source?.close();
      source = null;
    } else if (source === null || source.readyState === EventSource.CLOSED) {
      source = new EventSource("/events/stream");
      source.onmessage = (message) => heard(JSON.parse(message.data));
    }
  };
  document.addEventListener("visibilitychange", open);
  setInterval(open, 5000); // an answer that is no stream closes it for good: it is tried again
  open();
}
