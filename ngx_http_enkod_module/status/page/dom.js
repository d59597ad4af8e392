/* What is done with elements, and what the browser keeps. */

const byId = (id) => document.getElementById(id);


function setText(element, content) {
    if (element.textContent !== content) {
        element.textContent = content;
    }
}


function make(name, className, content) {
    const element = document.createElement(name);

    if (className) {
        element.className = className;
    }

    if (content !== undefined) {
        element.textContent = content;
    }

    return element;
}


/* Works without a storage: a browser may refuse it. */

function remember(name, value) {
    try {
        localStorage.setItem("enkod." + name, value);
    } catch {}
}


function remembered(name) {
    try {
        return localStorage.getItem("enkod." + name);
    } catch {
        return null;
    }
}


function eventName(name) {
    return name === "other" ? text("events.other") : name;
}


/*
 * Makes the children of a list those of the keys, in that order, and leaves
 * those alone that are there already.
 */

function keyed(list, keys, build) {
    const old = new Map([...list.children].map((child) =>
        [child.dataset.key, child]));

    keys.forEach((key, i) => {
        let child = old.get(key);

        if (!child) {
            child = build(key);
            child.dataset.key = key;
        }

        if (list.children[i] !== child) {
            list.insertBefore(child, list.children[i] ?? null);
        }

        old.delete(key);
    });

    for (const child of old.values()) {
        child.remove();
    }

    return [...list.children];
}
