// The receiver in nginx with njs: checks an event, appends its line, answers.
// Each request has its own JavaScript VM, so the file is opened for each of them.

import fs from 'fs';

const isString = v => typeof v === 'string';
const isInteger = v => Number.isInteger(v);
const isStringOrNull = v => v === undefined || v === null || isString(v);
const isStrings = v => Array.isArray(v) && v.every(isString);
const isIntegers = v => Array.isArray(v) && v.every(isInteger);

const message = [['message_id', isInteger], ['message_uid', isString],
                 ['sending_type', isString], ['name', isString],
                 ['from', isString], ['to', isString]];

const group = [['email', isString], ['group_id', isInteger],
               ['group_name', isString], ['channel', isString]];

const shapes = {
    'message sent': message,
    'message open': message,
    'complaint': message,
    'delivery bounce': message.concat([['error_message', isString]]),
    'message clicked': message.concat([['click_url', isString]]),
    'mailing group subscribe': group,
    'mailing group unsubscribe': group,
    'contact adding': [['email', isStringOrNull], ['phone', isStringOrNull],
                       ['groups_names', isStrings], ['groups_ids', isIntegers]],
};

// the vendor's spelling has a Cyrillic letter
const names = { '\u0441omplaint': 'complaint' };


function isTest(event) {
    const groups = event.groups_names;

    return event.message_uid === '0123456789_012_012_01234'
           || event.group_name === 'Person subscribe (test)'
           || event.group_name === 'Person unsubscribe (test)'
           || event.phone === '80123456789' && Array.isArray(groups)
              && groups.length === 2 && groups[0] === 'test_group_0'
              && groups[1] === 'test_group_1';
}


// Returns the line, or undefined if the event does not have its shape.

function line(r, event, name, shape) {
    let text = `{"received_at":"${new Date().toISOString()}"`
               + `,"request_id":"${r.variables.request_id}"`
               + `,"remote_addr":"${r.remoteAddress}"`
               + (isTest(event) ? ',"test":true' : '')
               + `,"event":"${name}"`;

    for (let i = 0; i < shape.length; i++) {
        const key = shape[i][0];
        const value = event[key];

        if (!shape[i][1](value)) {
            return undefined;
        }

        if (value !== undefined) {
            text += `,"${key}":${JSON.stringify(value)}`;
        }

        delete event[key];
    }

    delete event.event;

    if (Object.keys(event).length) {
        text += `,"extra":${JSON.stringify(event)}`;
    }

    return text + '}\n';
}


function handle(r) {
    let event;

    try {
        event = JSON.parse(r.requestText);
    } catch (e) {
        r.return(400);
        return;
    }

    if (event === null || typeof event !== 'object' || Array.isArray(event)) {
        r.return(422);
        return;
    }

    const name = names[event.event] || event.event;

    if (!isString(name) || !shapes.hasOwnProperty(name)
        || name === 'contact adding' && !isString(event.email)
           && !isString(event.phone))
    {
        r.return(422);
        return;
    }

    const text = line(r, event, name, shapes[name]);

    if (text === undefined) {
        r.return(422);
        return;
    }

    try {
        fs.appendFileSync(r.variables.events_log, text);
    } catch (e) {
        r.error(`cannot append: ${e.message}`);
        r.return(503);
        return;
    }

    r.return(200);
}

export default { handle };
