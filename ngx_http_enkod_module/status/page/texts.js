/*
 * Texts in English and Russian.  {name} is replaced; a text of several forms is
 * chosen by {n} and the plural rules of the language.
 */

const TEXTS = {

    en: {
        "receiver": "Receiver",
        "receiver.all": "all",
        "pause": "Pause",
        "resume": "Resume",

        "live.wait": "connecting",
        "live.on": "live",
        "live.paused": "paused",
        "live.hidden": "paused while the tab is hidden",
        "live.gone": "no answer for {time}",

        "figure.rate": "events per second",
        "figure.hour": "in the last hour",
        "figure.refused": "refused, failed",
        "figure.p99": "answer time, p99",

        "chart.title": "Events per second, the last hour",
        "chart.refused": "refused per minute",
        "chart.failed": "failed per minute",
        "chart.not": "Refused and failed per minute",
        "chart.total": "all events",
        "chart.empty": "no event in the last hour",

        "answers.title": "From the last byte of an event to the answer",
        "answers.recent": "last {time}",
        "answers.waiting": "Events waiting for a file or the upstream now",
        "since.start": "since the start",

        "events.title": "When each event last came",
        "events.event": "Event",
        "events.last": "Last",
        "events.spark": "By minute",
        "events.hour": "Last hour",
        "events.never": "never",
        "events.other": "other events",
        "result.accepted": "Accepted",
        "result.spooled": "Spooled",
        "result.duplicate": "Duplicates",
        "result.test": "Tests",

        "refusals.title": "What was not accepted, and what to do",
        "refusals.none": "Nothing has been refused, and nothing has failed.",
        "refusals.recent": "{n} of them in the last {time}",

        "receivers.title": "Receivers",
        "receivers.name": "Server and location",
        "receivers.refused": "Refused",
        "receivers.failed": "Failed",
        "receivers.waiting": "Waiting",

        "files.title": "Files",
        "files.none": "No file is configured.",
        "files.log": "events",
        "files.reject": "refused bodies",
        "files.spool": "spool",
        "files.sync": "synced",
        "files.good": "writable",
        "files.unused": "not written yet",
        "files.size": "size",
        "files.free": "free",
        "files.lines": "lines",
        "files.lasts": "enough for",
        "files.errors": "errors",
        "files.syncs": "sync, p99",
        "files.error": "{error}, {ago}",

        "pass.title": "Passed on",
        "pass.delivered": "delivered",
        "pass.failed": "failed",
        "pass.timeout": "timed out",
        "pass.busy": "upstream busy",
        "pass.p50": "time, p50",
        "pass.p99": "time, p99",
        "pass.spooled": "spooled",
        "pass.spool": "in the spool",

        "foot.about": "Module {version}, nginx {nginx}, yajl {yajl}. {workers}. Counting since {since}.",
        "foot.workers": { one: "{n} worker", other: "{n} workers" },
        "foot.json": "The same as JSON:",

        "gone.title": "No answer from this server",
        "gone.line": "The numbers below are those of {time}. The page goes on when the server answers.",
        "gone.status": "It answers with status {status}.",
        "gone.format": "It answers with something that is not JSON.",
        "gone.network": "It cannot be reached.",
        "wait.title": "Connecting",

        "ok.title": "Receiving",
        "quiet.title": "Nothing for {time}",
        "silent.line": "In the hour before, no pause was longer than {time}. See whether enKod still sends to this address.",
        "silent.hour": "No event in the last hour. See whether enKod still sends to this address.",
        "quiet.line": "Pauses of this length are usual here.",
        "never.title": "No event yet",
        "never.line": "Enter the address of the receiver in enKod’s settings; saving it sends a test event.",

        "last.line": "Last event: {event}, {ago}",
        "since.line": { one: "{n} event accepted since {since}", other: "{n} events accepted since {since}" },
        "probes.line": { one: "{n} availability check", other: "{n} availability checks" },
        "space.line": "{file}: space for {time} at the present rate",
        "writable.line": "All files can be written, {size} free",
        "writable.lasts": "All files can be written, with space for {time}",

        "refused.title": "Events are being refused",
        "failed.title": "Events cannot be kept",
        "over.title": "Events could not be kept",
        "failed.line": "The sender gets an error and has to send them again.",
        "upstream.title": "The upstream fails",
        "spooled.title": "Events go to the spool",
        "spooled.line": {
            one: "The upstream fails: {n} event in the last {time}. When it works again, send the spool with enkod-replay --drain.",
            other: "The upstream fails: {n} events in the last {time}. When it works again, send the spool with enkod-replay --drain."
        },
        "codes.recent": "{n} in the last {time}: {list}",
        "codes.start": "{n} in the last {time}; since the start {list}",
        "spool.title": "The spool holds {size}",
        "spool.line": "Send it on with enkod-replay --drain.",
        "file.title": "{file} cannot be written",
        "space.title": "Disk almost full: {size} free",
        "at.line": "at {receiver}",
        "more": "+{n} more below",

        "code.empty_body": "The request had no body. Somebody calls the URL without an event; look for the address in the access log.",
        "code.invalid_json": "The body is not JSON. If it is enKod’s, keep it with enkod_reject_log and show it to enKod.",
        "code.invalid_utf8": "The body is not UTF-8. The sender has to encode it so; enkod_reject_log keeps it as base64.",
        "code.lone_surrogate": "Half of a surrogate pair in a text, often an emoji that was cut off. The sender has to repair it.",
        "code.duplicate_field": "A member stands in the event twice. The sender has to send it once.",
        "code.too_deep": "Nested in more than 32 levels. This is hardly an event of enKod.",
        "code.too_many_fields": "More than 64 members. This is hardly an event of enKod.",
        "code.forbidden": "The token is missing or wrong. If enKod has stopped at the same time, correct the URL in its settings.",
        "code.method_not_allowed": "Not GET, HEAD or POST: a scanner, as a rule.",
        "code.too_large": "Larger than enkod_max_event_size, or client_max_body_size. Raise it if enKod sends such events.",
        "code.unsupported_encoding": "The body is compressed. Switch that off at the sender, or in a proxy between.",
        "code.not_object": "JSON, but not an object: several events in an array, or not an event.",
        "code.missing_event": "There is no string named “event”. This is not an event, or enKod has changed its form.",
        "code.unknown_event": "An event that is not known. Declare it with enkod_event, or set enkod_unknown_event accept.",
        "code.event_not_allowed": "This location does not take the event. Add it to enkod_events, or correct the URL in enKod.",
        "code.missing_field": "A required field is missing. See the error log; if enKod has changed the event, declare it anew with enkod_event.",
        "code.wrong_type": "A field has another type than documented. See the error log; if enKod has changed it, declare the event anew with enkod_event.",
        "code.unknown_field": "A field that is not in the table. Set enkod_extra_fields keep, or declare it with enkod_event.",
        "code.log_unavailable": "A line could not be written or synced. See the files on this page, and the error log.",
        "code.dedup_pending": "A copy came while the first was still waiting for a sink. The sender tries again.",
        "code.upstream_failed": "The upstream answered with an error or not at all. See its log; enkod_spool keeps such events.",
        "code.upstream_timeout": "The upstream did not answer in time. See its load; enkod_spool keeps such events.",
        "code.upstream_busy": "The upstream said 429 or 503. It needs more capacity, or enkod_spool.",
        "code.no_memory": "The system had no memory left. Look at the memory of this machine.",
        "code.other": "See the error log."
    },

    ru: {
        "receiver": "Приёмник",
        "receiver.all": "все",
        "pause": "Пауза",
        "resume": "Дальше",

        "live.wait": "соединение",
        "live.on": "обновляется",
        "live.paused": "пауза",
        "live.hidden": "пауза: вкладка скрыта",
        "live.gone": "нет ответа {time}",

        "figure.rate": "событий в секунду",
        "figure.hour": "за последний час",
        "figure.refused": "отказы, сбои",
        "figure.p99": "время ответа, p99",

        "chart.title": "События в секунду за последний час",
        "chart.refused": "отказов в минуту",
        "chart.failed": "сбоев в минуту",
        "chart.not": "Отказы и сбои в минуту",
        "chart.total": "все события",
        "chart.empty": "за последний час событий не было",

        "answers.title": "От последнего байта события до ответа",
        "answers.recent": "последние {time}",
        "answers.waiting": "Событий ждут файл или сервер",
        "since.start": "с запуска",

        "events.title": "Когда последний раз пришло событие",
        "events.event": "Событие",
        "events.last": "Последнее",
        "events.spark": "По минутам",
        "events.hour": "За час",
        "events.never": "ни разу",
        "events.other": "другие события",
        "result.accepted": "Принято",
        "result.spooled": "В спуле",
        "result.duplicate": "Повторы",
        "result.test": "Тесты",

        "refusals.title": "Что не принято и что делать",
        "refusals.none": "Отказов и сбоев не было.",
        "refusals.recent": "из них {n} за последние {time}",

        "receivers.title": "Приёмники",
        "receivers.name": "Сервер и location",
        "receivers.refused": "Отказы",
        "receivers.failed": "Сбои",
        "receivers.waiting": "Ждут",

        "files.title": "Файлы",
        "files.none": "Файлы не настроены.",
        "files.log": "события",
        "files.reject": "отвергнутые тела",
        "files.spool": "спул",
        "files.sync": "с sync",
        "files.good": "запись идёт",
        "files.unused": "записи ещё не было",
        "files.size": "размер",
        "files.free": "свободно",
        "files.lines": "строк",
        "files.lasts": "хватит на",
        "files.errors": "ошибок",
        "files.syncs": "sync, p99",
        "files.error": "{error}, {ago}",

        "pass.title": "Передача дальше",
        "pass.delivered": "доставлено",
        "pass.failed": "сбой",
        "pass.timeout": "нет ответа",
        "pass.busy": "сервер занят",
        "pass.p50": "время, p50",
        "pass.p99": "время, p99",
        "pass.spooled": "ушло в спул",
        "pass.spool": "в спуле",

        "foot.about": "Модуль {version}, nginx {nginx}, yajl {yajl}. {workers}. Счёт с {since}.",
        "foot.workers": {
            one: "{n} рабочий процесс", few: "{n} рабочих процесса",
            many: "{n} рабочих процессов", other: "{n} рабочего процесса"
        },
        "foot.json": "То же в JSON:",

        "gone.title": "Сервер не отвечает",
        "gone.line": "Числа ниже — на {time}. Когда сервер ответит, страница продолжит сама.",
        "gone.status": "Он отвечает со статусом {status}.",
        "gone.format": "Он отвечает не в формате JSON.",
        "gone.network": "С ним нет связи.",
        "wait.title": "Соединение",

        "ok.title": "События приходят",
        "quiet.title": "Ничего нет уже {time}",
        "silent.line": "За час до этого не было паузы длиннее {time}. Проверьте, отправляет ли enKod события на этот адрес.",
        "silent.hour": "За последний час не было ни одного события. Проверьте, отправляет ли enKod события на этот адрес.",
        "quiet.line": "Такие паузы здесь обычны.",
        "never.title": "Событий ещё не было",
        "never.line": "Укажите адрес приёмника в настройках enKod: при сохранении придёт тестовое событие.",

        "last.line": "Последнее событие: {event}, {ago}",
        "since.line": {
            one: "{n} событие принято с {since}", few: "{n} события принято с {since}",
            many: "{n} событий принято с {since}", other: "{n} события принято с {since}"
        },
        "probes.line": {
            one: "{n} проверка доступности", few: "{n} проверки доступности",
            many: "{n} проверок доступности", other: "{n} проверки доступности"
        },
        "space.line": "{file}: при нынешнем потоке места хватит на {time}",
        "writable.line": "Все файлы доступны для записи, свободно {size}",
        "writable.lasts": "Все файлы доступны для записи, места хватит на {time}",

        "refused.title": "События отвергаются",
        "failed.title": "События не сохраняются",
        "over.title": "Были сбои при сохранении",
        "failed.line": "Отправитель получает ошибку и должен повторить.",
        "upstream.title": "Сбой при передаче дальше",
        "spooled.title": "События уходят в спул",
        "spooled.line": {
            one: "{n} событие за последние {time}, сбой при передаче. Когда сервер заработает, отправьте спул: enkod-replay --drain.",
            few: "{n} события за последние {time}, сбой при передаче. Когда сервер заработает, отправьте спул: enkod-replay --drain.",
            many: "{n} событий за последние {time}, сбой при передаче. Когда сервер заработает, отправьте спул: enkod-replay --drain.",
            other: "{n} события за последние {time}, сбой при передаче. Когда сервер заработает, отправьте спул: enkod-replay --drain."
        },
        "codes.recent": "{n} за последние {time}: {list}",
        "codes.start": "{n} за последние {time}; с запуска {list}",
        "spool.title": "В спуле {size}",
        "spool.line": "Отправьте его: enkod-replay --drain.",
        "file.title": "Нет записи в {file}",
        "space.title": "Почти нет места: {size}",
        "at.line": "приёмник {receiver}",
        "more": "и ещё {n} ниже",

        "event.message sent": "письмо отправлено",
        "event.message open": "письмо открыто",
        "event.message clicked": "переход по ссылке",
        "event.delivery bounce": "не доставлено",
        "event.complaint": "жалоба на спам",
        "event.mailing group subscribe": "подписка",
        "event.mailing group unsubscribe": "отписка",
        "event.contact adding": "новый контакт",

        "code.empty_body": "В запросе нет тела. Кто-то вызывает адрес без события: найдите его в журнале доступа.",
        "code.invalid_json": "Тело — не JSON. Если оно от enKod, сохраните его с enkod_reject_log и покажите enKod.",
        "code.invalid_utf8": "Тело не в UTF-8. Отправитель должен исправить кодировку; enkod_reject_log сохранит тело в base64.",
        "code.lone_surrogate": "В тексте половина суррогатной пары, часто это обрезанный эмодзи. Исправить должен отправитель.",
        "code.duplicate_field": "Поле стоит в событии дважды. Отправитель должен присылать его один раз.",
        "code.too_deep": "Больше 32 уровней вложенности. Вряд ли это событие enKod.",
        "code.too_many_fields": "Больше 64 полей. Вряд ли это событие enKod.",
        "code.forbidden": "Нет токена или он неверен. Если при этом замолчал enKod, исправьте адрес в его настройках.",
        "code.method_not_allowed": "Не GET, HEAD и не POST: обычно это сканер.",
        "code.too_large": "Больше enkod_max_event_size или client_max_body_size. Увеличьте, если такие события шлёт enKod.",
        "code.unsupported_encoding": "Тело сжато. Отключите сжатие у отправителя или в прокси перед сервером.",
        "code.not_object": "JSON, но не объект: несколько событий в массиве или вообще не событие.",
        "code.missing_event": "Нет строки «event». Это не событие, или enKod изменил его форму.",
        "code.unknown_event": "Неизвестное событие. Опишите его в enkod_event или включите enkod_unknown_event accept.",
        "code.event_not_allowed": "Этот location не принимает такое событие. Добавьте его в enkod_events или исправьте адрес в enKod.",
        "code.missing_field": "Нет обязательного поля. Смотрите журнал ошибок; если enKod изменил событие, опишите его заново в enkod_event.",
        "code.wrong_type": "Тип поля не тот, что в описании. Смотрите журнал ошибок; если enKod его изменил, опишите событие заново в enkod_event.",
        "code.unknown_field": "Поля нет в таблице. Включите enkod_extra_fields keep или опишите поле в enkod_event.",
        "code.log_unavailable": "Строку не удалось записать или синхронизировать. Смотрите файлы на этой странице и журнал ошибок.",
        "code.dedup_pending": "Пришёл повтор, пока первое событие ещё записывалось. Отправитель повторит.",
        "code.upstream_failed": "Сервер ответил ошибкой или не ответил. Смотрите его журнал; enkod_spool сохраняет такие события.",
        "code.upstream_timeout": "Сервер не ответил вовремя. Смотрите его нагрузку; enkod_spool сохраняет такие события.",
        "code.upstream_busy": "Сервер ответил 429 или 503. Ему нужно больше ресурсов, или включите enkod_spool.",
        "code.no_memory": "Системе не хватило памяти. Проверьте память этой машины.",
        "code.other": "Смотрите журнал ошибок."
    }
};


let language = "en";
let plural = new Intl.PluralRules(language);


/* The text of that name; numbers in values are already formatted, but n. */

function text(name, values = {}) {
    let found = TEXTS[language][name] ?? TEXTS.en[name] ?? name;

    if (typeof found !== "string") {
        found = found[plural.select(values.n)] ?? found.other;
    }

    return found.replace(/\{(\w+)\}/g, (all, key) =>
        key === "n" && typeof values.n === "number"
            ? number(values.n) : values[key] ?? all);
}
