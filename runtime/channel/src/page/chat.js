// The chat page: one contact at a time, over the public API.
//
// Turns come by server-sent events, read with fetch because the contact's token travels in a
// header. A dropped connection is taken up again after the last turn that was shown.

const texts = {
  "zh-CN": {
    title: "联系热线",
    number: "热线号码",
    from: "您的电话号码（可不填）",
    language: "语言",
    "language-default": "由热线决定",
    begin: "开始",
    conversation: "对话",
    words: "请输入",
    send: "发送",
    "hang-up": "结束对话",
    again: "重新开始",
    keypad: "按键",
    connecting: "正在连接…",
    connected: "已连接",
    reconnecting: "连接中断，正在恢复…",
    ended: "对话已结束",
    unreachable: "无法连接服务器，请稍后再试。",
    retry: "没有送达，正在重试…",
  },
  en: {
    title: "Contact the hotline",
    number: "Hotline number",
    from: "Your phone number (optional)",
    language: "Language",
    "language-default": "The hotline's own",
    begin: "Begin",
    conversation: "Conversation",
    words: "Your answer",
    send: "Send",
    "hang-up": "Leave",
    again: "New contact",
    keypad: "Keypad",
    connecting: "Connecting…",
    connected: "Connected",
    reconnecting: "Connection lost, taking it up again…",
    ended: "The conversation has ended",
    unreachable: "The server cannot be reached. Please try again later.",
    retry: "Not delivered yet, trying again…",
  },
};

const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"];
const RECONNECT_MS_MIN = 300;
const RECONNECT_MS_MAX = 5000;
const SEND_ATTEMPTS_MAX = 6;
const STORED_AS = "trunkline.contact";

const at = (id) => document.getElementById(id);
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

let spoken = navigator.language.startsWith("zh") ? "zh-CN" : "en";
let contact = null; // { id, token, after }
let listening = null; // AbortController of the stream
let question = null; // the last ask, while it is open
let sending = Promise.resolve(); // inputs go one after another, in the caller's order
let clock = null;

const text = (key) => texts[spoken][key];

function speak(language) {
  spoken = language;
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-text]")) {
    element.textContent = text(element.dataset.text);
  }
  at("keypad").setAttribute("aria-label", text("keypad"));
  const other = language === "en" ? "中文" : "EN";
  at("speak").textContent = other;
  at("speak").setAttribute("aria-label", language === "en" ? "切换到中文" : "Switch the page to English");
  at("speak").lang = language === "en" ? "zh-CN" : "en";
}

function status(key) {
  at("status").textContent = key ? text(key) : "";
}

function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// What a failed request says, in words for the caller.
async function problemOf(response) {
  try {
    const problem = await response.json();
    return `${problem.detail} ${problem.mend ?? ""}`.trim();
  } catch {
    return `${response.status} ${response.statusText}`;
  }
}

function line(words, kind, language) {
  const item = document.createElement("li");
  item.className = kind;
  item.textContent = words;
  if (language) item.lang = language;
  const log = at("turns");
  log.append(item);
  log.scrollTop = log.scrollHeight;
  return item;
}

function remember() {
  try {
    if (contact) sessionStorage.setItem(STORED_AS, JSON.stringify(contact));
    else sessionStorage.removeItem(STORED_AS);
  } catch {
    // Without storage the contact does not survive a reload of the page; nothing else changes.
  }
}

function remembered() {
  try {
    return JSON.parse(sessionStorage.getItem(STORED_AS));
  } catch {
    return null;
  }
}

// ---- asking and answering ----

function counts(key) {
  return question !== null && question.keys !== "" && question.keys.slice(1, -1) !== "" &&
    new RegExp(`^${question.keys}$`).test(key);
}

function showQuestion() {
  const open = question !== null;
  for (const button of at("keypad").children) {
    button.classList.toggle("counts", open && counts(button.textContent));
  }
  const words = at("words");
  words.disabled = contact === null;
  clearInterval(clock);
  at("deadline").hidden = !open;
  if (!open) return;
  const until = Date.parse(question.until);
  const whole = Math.max(until - Date.now(), 1);
  const tick = () => {
    const left = Math.max(until - Date.now(), 0);
    at("deadline-bar").style.transform = `scaleX(${left / whole})`;
    at("deadline").classList.toggle("near", left < 30000);
  };
  tick();
  clock = setInterval(tick, 1000);
  if (question.text && document.activeElement === document.body) words.focus({ preventScroll: true });
}

function show(turn) {
  if (!contact || turn.seq <= contact.after) return;
  contact.after = turn.seq;
  if (turn.type === "say") {
    line(turn.text, "said", turn.language);
  } else if (turn.type === "ask") {
    question = turn;
    showQuestion();
  } else if (turn.type === "ended") {
    ended();
  }
}

function ended() {
  line(text("ended"), "note");
  status("ended");
  contact = null;
  question = null;
  remember();
  showQuestion();
  at("say").hidden = at("keypad").hidden = at("hang-up").hidden = true;
  at("again").hidden = false;
  at("again").focus();
}

function give(input, shown) {
  if (!contact) return;
  const to = contact;
  const own = shown === null ? null : line(shown, "own waiting");
  const body = JSON.stringify({ id: randomId(), ...input });
  // The same id on every attempt: however often it is sent, it counts once.
  sending = sending.then(async () => {
    for (let attempt = 1; attempt <= SEND_ATTEMPTS_MAX && contact === to; attempt++) {
      try {
        const response = await fetch(`/api/v1/contacts/${to.id}/inputs`, {
          method: "POST",
          headers: { "content-type": "application/json", authorization: `Bearer ${to.token}` },
          body,
        });
        own?.classList.remove("waiting");
        if (response.status >= 500) throw new Error(String(response.status));
        if (!response.ok) line(await problemOf(response), "note alarm");
        return;
      } catch {
        status("retry");
        await pause(RECONNECT_MS_MIN * 2 ** attempt);
      }
    }
  });
}

// ---- listening ----

async function listen() {
  const to = contact;
  let wait = RECONNECT_MS_MIN;
  while (contact === to && to !== null) {
    listening = new AbortController();
    try {
      const response = await fetch(`/api/v1/contacts/${to.id}/turns`, {
        headers: {
          accept: "text/event-stream",
          authorization: `Bearer ${to.token}`,
          "last-event-id": String(to.after),
        },
        signal: listening.signal,
      });
      if (response.status === 401 || response.status === 404) {
        line(await problemOf(response), "note alarm");
        return ended();
      }
      if (!response.ok) throw new Error(String(response.status));
      status("connected");
      wait = RECONNECT_MS_MIN;
      for await (const turn of events(response.body)) show(turn);
    } catch {
      // Dropped, refused or aborted: the loop decides.
    }
    if (contact !== to) return;
    status("reconnecting");
    await pause(wait);
    wait = Math.min(wait * 2, RECONNECT_MS_MAX);
  }
}

// The data of each event of a stream of server-sent events.
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    rest += value;
    let end;
    while ((end = rest.indexOf("\n\n")) >= 0) {
      const data = rest.slice(0, end).split("\n")
        .filter((part) => part.startsWith("data:"))
        .map((part) => part.slice(5).trimStart())
        .join("\n");
      rest = rest.slice(end + 2);
      if (data) yield JSON.parse(data);
    }
  }
}

// ---- beginning and leaving ----

function open(to) {
  contact = to;
  question = null;
  remember();
  at("turns").replaceChildren();
  at("arrival").hidden = true;
  at("contact").hidden = false;
  at("say").hidden = at("keypad").hidden = at("hang-up").hidden = false;
  at("again").hidden = true;
  showQuestion();
  at("words").focus();
  status("connecting");
  listen();
}

async function begin(event) {
  event.preventDefault();
  at("problem").textContent = "";
  const field = (id) => at(id).value.trim();
  const request = { id: randomId(), channel: "chat", number: field("number") };
  if (field("from")) request.from = field("from");
  if (field("language")) request.language = field("language");
  status("connecting");
  try {
    const response = await fetch("/api/v1/contacts", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(request),
    });
    if (!response.ok) {
      at("problem").textContent = await problemOf(response);
      return status("");
    }
    const begun = await response.json();
    open({ id: begun.contact, token: begun.token, after: 0 });
  } catch {
    at("problem").textContent = text("unreachable");
    status("");
  }
}

function again() {
  listening?.abort();
  contact = null;
  question = null;
  remember();
  status("");
  at("contact").hidden = true;
  at("arrival").hidden = false;
  at("number").focus();
}

for (const key of KEYS) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = key;
  button.addEventListener("click", () => give({ keys: key }, key));
  at("keypad").append(button);
}
at("call").addEventListener("submit", begin);
at("say").addEventListener("submit", (event) => {
  event.preventDefault();
  const words = at("words").value;
  if (!words.trim() || !contact) return;
  at("words").value = "";
  // Keys of the keypad, typed where keys count, are keys.
  const keys = /^[0-9*#]+$/.test(words) && question !== null && question.keys !== "";
  give(keys ? { keys: words } : { text: words }, words);
});
at("hang-up").addEventListener("click", () => give({ hang_up: true }, null));
at("again").addEventListener("click", again);
at("speak").addEventListener("click", () => speak(spoken === "en" ? "zh-CN" : "en"));

const fromAddress = new URLSearchParams(location.search);
for (const id of ["number", "from"]) {
  if (fromAddress.has(id)) at(id).value = fromAddress.get(id);
}
speak(spoken);
const before = remembered();
if (before?.id && before?.token) open({ ...before, after: 0 });
