// Refreshes the preview beside a form while it is filled in, by sending the form as its button would.
// Without it, the button does the same.
"use strict";

const form = document.querySelector("form[data-preview]");
let turn = 0;
let waiting = 0;

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

async function refresh(whole) {
  const mine = ++turn;
  const pane = document.getElementById("preview");
  pane.setAttribute("aria-busy", "true");
  const body = new URLSearchParams(new FormData(form));
  body.set("do", "preview");
  try {
    const answer = await fetch(form.action, { method: "POST", body, redirect: "manual" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (mine !== turn) return;
    const fresh = page.getElementById("preview");
    if (!fresh) return;
    pane.replaceChildren(...fresh.childNodes);
    if (whole) {
      const focused = document.activeElement && document.activeElement.id;
      document.getElementById("lines").replaceChildren(...page.getElementById("lines").childNodes);
      const again = focused && document.getElementById(focused);
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
    clearTimeout(waiting);
    const whole = event.target.hasAttribute("data-reshapes");
    waiting = setTimeout(() => refresh(whole), whole ? 0 : 350);
  });
}
