// Refreshes the preview beside a form while it is filled in, and adds and moves its rows, by sending the form as its buttons
// would. So the page stays the one that was opened, and can be left and come back to. Without it, the buttons do the same.
"use strict";

const form = document.querySelector("form[data-preview]");
let turn = 0;
let waiting = 0;
// Whether the form says something that is neither in force nor in a plan.
let isChanged = form !== null && form.hasAttribute("data-changed");

// What is wrong with a field is told beside it, and what is typed in it stays.
function tell(page) {
  for (const control of document.querySelectorAll("#lines .control")) {
    const field = control.querySelector("[id^=f-]");
    const fresh = field && page.getElementById(field.id);
    if (!fresh) continue;
    for (const name of ["aria-invalid", "aria-describedby"]) {
      if (fresh.hasAttribute(name)) field.setAttribute(name, fresh.getAttribute(name));
      else field.removeAttribute(name);
    }
    control.querySelector(".fault")?.remove();
    const fault = fresh.closest(".control").querySelector(".fault");
    if (fault) control.append(fault);
  }
}

async function refresh(act, whole) {
  const mine = ++turn;
  const pane = document.getElementById("preview");
  pane.setAttribute("aria-busy", "true");
  const body = new URLSearchParams(new FormData(form));
  body.set("do", act);
  try {
    const answer = await fetch(form.action, { method: "POST", body, redirect: "manual" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (mine !== turn) return;
    const fresh = page.getElementById("preview");
    // Signed out, or gone: the page itself says so.
    if (!fresh) return;
    pane.replaceChildren(...fresh.childNodes);
    if (whole) {
      const focused = document.activeElement;
      const lines = document.getElementById("lines");
      const place = focused && focused.name === "do" ? `button[value="${CSS.escape(focused.value)}"]` : focused && focused.id && `#${CSS.escape(focused.id)}`;
      lines.replaceChildren(...page.getElementById("lines").childNodes);
      const again = place && lines.querySelector(place);
      if (again) again.focus();
    } else {
      tell(page);
    }
  } finally {
    if (mine === turn) pane.removeAttribute("aria-busy");
  }
}

if (form) {
  form.addEventListener("input", (event) => {
    if (event.target.name !== "who") isChanged = true;
    clearTimeout(waiting);
    const whole = event.target.hasAttribute("data-reshapes");
    waiting = setTimeout(() => refresh("preview", whole), whole ? 0 : 350);
  });
  form.addEventListener("submit", (event) => {
    const button = event.submitter;
    const act = button && button.name === "do" ? button.value : "preview";
    if (act === "plan") {
      isChanged = false;
      return;
    }
    event.preventDefault();
    clearTimeout(waiting);
    if (act !== "preview") isChanged = true;
    refresh(act, act !== "preview");
  });
  for (const link of document.querySelectorAll("[data-drops]")) link.addEventListener("click", () => { isChanged = false; });
  window.addEventListener("beforeunload", (event) => {
    if (isChanged) event.preventDefault();
  });
}
