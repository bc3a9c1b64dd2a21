// Besides htmx: pages pause while hidden, and say when they are not up to date.
"use strict";

const pulse = document.getElementById("pulse");
const error = document.getElementById("error");

function show(state, text, why = "") {
  if (error.textContent !== why) error.textContent = why;
  error.hidden = !why;
  if (pulse.dataset.state === state) return;
  pulse.dataset.state = state;
  pulse.textContent = text;
}

// The message of an error page.
function message(page) {
  const sentence = new DOMParser().parseFromString(page, "text/html").querySelector("[data-message]");
  return sentence ? sentence.textContent : "";
}

document.addEventListener("htmx:before:request", (event) => {
  if (document.hidden) event.preventDefault();
});

document.addEventListener("htmx:after:request", (event) => {
  const {response, target, text} = event.detail.ctx;
  if (!target || target.id !== "live") return; // a payload or the number in a tab: the page is up to date
  if (response.status < 400) show("live", "Live");
  else show("troubled", "Not up to date", message(text));
});

document.addEventListener("htmx:error", () => show("gone", "Console stopped"));

// Visible again: update at once.
document.addEventListener("visibilitychange", () => {
  const live = document.getElementById("live");
  if (live && !document.hidden) htmx.trigger(live, "every");
});

if (!document.getElementById("live")) pulse.hidden = true;
