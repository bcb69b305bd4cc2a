// What pages do beyond HTML where scripts run: copy, and keep what is marked as live up to date. No page needs it.
"use strict";
(() => {
  const LOOK_EVERY = 2000;
  // Nobody sits there any more: the session shall end by itself.
  const GIVE_UP_AFTER = 15 * 60 * 1000;

  const copy = async (text) => {
    if (navigator.clipboard && window.isSecureContext) {
      return navigator.clipboard.writeText(text);
    }
    const field = document.createElement("textarea");
    field.value = text;
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    if (!done) throw new Error("not copied");
  };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-copy]");
    if (!button) return;
    const word = button.textContent;
    try {
      await copy(button.dataset.copy);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Select and copy it yourself";
    }
    setTimeout(() => { button.textContent = word; }, 2000);
  });
  for (const button of document.querySelectorAll("button[data-copy]")) button.hidden = false;

  // Where a row of links is wider than the window, the open one is what is seen of it.
  const showOpen = () => {
    for (const open of document.querySelectorAll(".menu [aria-current], .tabs [aria-current]")) {
      const row = open.closest(".menu, .tabs ul");
      row.scrollLeft += open.getBoundingClientRect().left - row.getBoundingClientRect().left - (row.clientWidth - open.offsetWidth) / 2;
    }
  };
  showOpen();
  window.addEventListener("resize", showOpen);
  // A chosen file goes into the field that is sent.
  for (const choice of document.querySelectorAll("input[data-into]")) {
    choice.closest("[data-file]").hidden = false;
    choice.addEventListener("change", async () => {
      if (choice.files.length) document.getElementById(choice.dataset.into).value = await choice.files[0].text();
    });
  }

  // A form goes once, however often its button is pressed. The server sees to that too; this spares people its saying so.
  const SENT_FOR = 10 * 1000;
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented) return;
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "on";
    // What comes as a file leaves the page as it is.
    setTimeout(() => delete form.dataset.sent, SENT_FOR);
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });

  // Nobody uses the session by what a page asks by itself.
  const byItself = { "x-by-itself": "1" };

  let touched = Date.now();
  for (const kind of ["pointermove", "keydown", "scroll"]) {
    document.addEventListener(kind, () => { touched = Date.now(); }, { passive: true });
  }

  for (const place of document.querySelectorAll("[data-live]")) {
    const told = place.parentElement.querySelector("[data-told]");
    // What moves by itself can be made to stand still.
    const pause = place.parentElement.querySelector("[data-pause]");
    if (pause) {
      pause.hidden = false;
      pause.addEventListener("click", () => {
        const paused = pause.dataset.pause !== "on";
        pause.dataset.pause = paused ? "on" : "";
        pause.textContent = paused ? "Go on" : "Pause";
      });
    }
    const stands = () => pause && (pause.dataset.pause === "on" || place.contains(document.activeElement));
    let shown = "";
    const look = async () => {
      if (place.querySelector("[data-complete]")) return;
      if (!document.hidden && !stands() && Date.now() - touched < GIVE_UP_AFTER) {
        try {
          const answer = await fetch(place.dataset.live, { redirect: "manual", headers: byItself });
          // Signed out, or gone: the page itself says so.
          if (answer.type === "opaqueredirect" || answer.status === 404) return location.reload();
          const text = answer.ok ? await answer.text() : shown;
          if (text !== shown) {
            place.innerHTML = text;
            const words = place.querySelector(".words");
            if (told && words && told.textContent !== words.textContent) told.textContent = words.textContent;
            shown = text;
          }
        } catch {
          // The server is away; it may come back.
        }
      }
      setTimeout(look, LOOK_EVERY);
    };
    setTimeout(look, LOOK_EVERY);
  }

  // What tells of work still going on is looked at again until it is over.
  async function lookAgain() {
    const told = document.querySelector("[data-going-on]");
    if (!told) return;
    // A page that answered a form cannot be asked for again: it says where it is found.
    const own = told.dataset.goingOn || location.pathname;
    const place = own === location.pathname ? location.href : own;
    const answer = await fetch(place, { headers: byItself });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById(told.id);
    if (!answer.ok || !fresh) return;
    if (!fresh.hasAttribute("data-going-on")) {
      if (own === location.pathname) location.reload();
      else location.replace(place);
      return;
    }
    told.replaceWith(fresh);
    setTimeout(lookAgain, LOOK_EVERY);
  }
  setTimeout(lookAgain, LOOK_EVERY);
})();
