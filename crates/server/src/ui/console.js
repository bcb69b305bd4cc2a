// What pages do beyond HTML where scripts run: copy, filter without loading anew, and keep what is marked as live up to date.
// No page needs it.
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
  const showCopying = () => {
    for (const button of document.querySelectorAll("button[data-copy]")) button.hidden = false;
  };
  showCopying();

  // Where a row of links is wider than the window, the open one is what is seen of it.
  const showOpen = () => {
    for (const open of document.querySelectorAll(".menu [aria-current], .tabs [aria-current]")) {
      const row = open.closest(".menu, .tabs ul");
      row.scrollLeft += open.getBoundingClientRect().left - row.getBoundingClientRect().left - (row.clientWidth - open.offsetWidth) / 2;
    }
  };
  showOpen();
  window.addEventListener("resize", showOpen);

  const say = document.createElement("p");
  say.className = "unseen";
  say.setAttribute("role", "status");
  document.body.append(say);

  // What a form filters is asked for as soon as the form says something else. Where that fails, its button does it.
  const WAIT = 300;
  for (const form of document.querySelectorAll("form[role=search]")) {
    const page = form.parentElement;
    if (page.querySelector("[data-live]")) continue;
    let turn = 0;
    let waiting = 0;
    const find = async () => {
      const mine = ++turn;
      const said = [...new FormData(form)].filter(([, value]) => value !== "");
      // A field may be called "action".
      const place = new URL(form.getAttribute("action") || location.pathname, location.href);
      place.search = new URLSearchParams(said);
      let fresh;
      try {
        const answer = await fetch(place);
        const whole = new DOMParser().parseFromString(await answer.text(), "text/html");
        fresh = !answer.redirected && whole.querySelector("form[role=search]");
      } catch {
        fresh = null;
      }
      if (mine !== turn) return;
      if (!fresh) return form.submit();
      history.replaceState(null, "", place);
      const around = [...fresh.parentElement.childNodes];
      const at = around.indexOf(fresh);
      const links = fresh.querySelectorAll("a");
      form.querySelectorAll("a").forEach((link, index) => links[index] && link.replaceWith(links[index].cloneNode(true)));
      for (const old of [...page.childNodes]) if (old !== form) old.remove();
      form.before(...around.slice(0, at));
      form.after(...around.slice(at + 1));
      showCopying();
      const rows = page.querySelectorAll("tbody tr").length;
      say.textContent = rows === 1 ? "1 row" : `${rows} rows`;
    };
    const soon = (time) => {
      clearTimeout(waiting);
      waiting = setTimeout(find, time);
    };
    form.addEventListener("change", () => soon(0));
    form.addEventListener("input", (event) => {
      if (event.target.hasAttribute("data-as-typed")) soon(WAIT);
    });
    form.addEventListener("submit", () => { clearTimeout(waiting); turn++; });
  }

  // Of a long table on a page that finds nothing, what is shown can be narrowed.
  const LONG = 20;
  for (const place of document.querySelectorAll("main .scroll")) {
    const rows = [...place.querySelectorAll("tbody tr")];
    if (rows.length < LONG || document.querySelector("form[role=search]")) continue;
    const label = document.createElement("label");
    const field = document.createElement("input");
    label.className = "narrow";
    field.type = "search";
    field.autocomplete = "off";
    label.append("Of these, only rows with ", field);
    place.before(label);
    field.addEventListener("input", () => {
      const text = field.value.trim().toLowerCase();
      for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(text);
      const left = rows.filter((row) => !row.hidden).length;
      say.textContent = `${left} of ${rows.length} rows`;
    });
  }

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
