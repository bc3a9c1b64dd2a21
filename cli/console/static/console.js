// What the pages do besides htmx: rest while nobody looks, and a word when they are not up to date.
"use strict";

const pulse = document.getElementById("pulse");
const refused = document.getElementById("refused");

function tell(state, text, why = "") {
  if (refused.textContent !== why) refused.textContent = why;
  refused.hidden = !why;
  if (pulse.dataset.state === state) return;
  pulse.dataset.state = state;
  pulse.textContent = text;
}

// What a refusal says: it comes as a page of its own.
function said(page) {
  const sentence = new DOMParser().parseFromString(page, "text/html").querySelector("[data-said]");
  return sentence ? sentence.textContent : "";
}

document.addEventListener("htmx:before:request", (event) => {
  if (document.hidden) event.preventDefault();
});

document.addEventListener("htmx:after:request", (event) => {
  const {response, target, text} = event.detail.ctx;
  if (!target || target.id !== "live") return; // a payload, the number at a tab: the page is as it was
  if (response.status < 400) tell("live", "Live");
  else tell("troubled", "Not up to date", said(text));
});

document.addEventListener("htmx:error", () => tell("gone", "Console stopped"));

// Back from another tab: look at once, not at the next turn.
document.addEventListener("visibilitychange", () => {
  const live = document.getElementById("live");
  if (live && !document.hidden) htmx.trigger(live, "every");
});

if (!document.getElementById("live")) pulse.hidden = true;
