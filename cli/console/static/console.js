// What the pages do besides htmx: rest while nobody looks, and a word when the console is gone.
"use strict";

const pulse = document.getElementById("pulse");

function tell(state, text) {
  if (pulse.dataset.state === state) return;
  pulse.dataset.state = state;
  pulse.textContent = text;
}

document.addEventListener("htmx:before:request", (event) => {
  if (document.hidden) event.preventDefault();
});

document.addEventListener("htmx:after:request", (event) => {
  if (event.detail.ctx.response.status < 400) tell("live", "Live");
  else tell("troubled", "AWS does not answer");
});

document.addEventListener("htmx:error", () => tell("gone", "Console stopped"));

// Back from another tab: look at once, not at the next turn.
document.addEventListener("visibilitychange", () => {
  const live = document.getElementById("live");
  if (live && !document.hidden) htmx.trigger(live, "every");
});

if (!document.getElementById("live")) pulse.hidden = true;
