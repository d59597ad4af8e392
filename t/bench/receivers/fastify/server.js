// The receiver in Node.js with Fastify and its validation by JSON schema:
// checks an event, appends its line, answers.  Lines of events that
// arrive during a write share the next one.
//
// usage: node server.js PORT FILE [sync]

'use strict';

const { randomUUID } = require('node:crypto');
const fs = require('node:fs');

const string = { type: 'string' };
const integer = { type: 'integer' };
const optional = { type: ['string', 'null'] };

const message = { message_id: integer, message_uid: string,
                  sending_type: string, name: string, from: string,
                  to: string };

const group = { email: string, group_id: integer, group_name: string,
                channel: string };

const contact = { email: optional, phone: optional,
                  groups_names: { type: 'array', items: string },
                  groups_ids: { type: 'array', items: integer } };

const fields = {
    'message sent': message,
    'message open': message,
    'complaint': message,
    'delivery bounce': { ...message, error_message: string },
    'message clicked': { ...message, click_url: string },
    'mailing group subscribe': group,
    'mailing group unsubscribe': group,
    'contact adding': contact,
};

// the vendor's spelling has a Cyrillic letter
const names = { '\u0441omplaint': 'complaint' };


function shape(name) {
    const latin = names[name] || name;
    const properties = fields[latin];
    const schema = {
        properties: { event: { const: name }, ...properties },
        required: Object.keys(properties),
    };

    if (latin === 'contact adding') {
        schema.required = ['groups_names', 'groups_ids'];
        schema.anyOf = ['email', 'phone'].map(key => (
            { properties: { [key]: string }, required: [key] }));
    }

    return schema;
}


const body = {
    type: 'object',
    required: ['event'],
    discriminator: { propertyName: 'event' },
    oneOf: [...Object.keys(fields), ...Object.keys(names)].map(shape),
};


function isTest(event) {
    const groups = event.groups_names;

    return event.message_uid === '0123456789_012_012_01234'
           || event.group_name === 'Person subscribe (test)'
           || event.group_name === 'Person unsubscribe (test)'
           || event.phone === '80123456789' && groups.length === 2
              && groups[0] === 'test_group_0' && groups[1] === 'test_group_1';
}


function line(request) {
    const event = request.body;
    const name = names[event.event] || event.event;
    const record = { received_at: new Date().toISOString(),
                     request_id: request.id, remote_addr: request.ip };

    if (isTest(event)) {
        record.test = true;
    }

    record.event = name;

    for (const key in fields[name]) {
        if (event[key] !== undefined) {
            record[key] = event[key];
        }
    }

    for (const key in event) {
        if (key !== 'event' && !Object.hasOwn(fields[name], key)) {
            (record.extra ||= {})[key] = event[key];
        }
    }

    return JSON.stringify(record) + '\n';
}


// A file that is appended to: append(text) completes when the text is written, or
// with "sync", on the disk.

class Journal {
    constructor(path, sync) {
        this.fd = fs.openSync(path, 'a');
        this.sync = sync;
        this.lines = [];
        this.waiting = [];
        this.busy = false;
    }

    append(text) {
        return new Promise((resolve, reject) => {
            this.lines.push(text);
            this.waiting.push({ resolve, reject });

            if (!this.busy) {
                this.busy = true;
                // with the other lines of this turn of the event loop
                setImmediate(() => this.flush());
            }
        });
    }

    flush() {
        const text = Buffer.from(this.lines.join(''));
        const waiting = this.waiting;

        this.lines = [];
        this.waiting = [];

        const done = (error) => {
            for (const { resolve, reject } of waiting) {
                error ? reject(error) : resolve();
            }

            this.busy = this.lines.length > 0;

            if (this.busy) {
                this.flush();
            }
        };

        fs.write(this.fd, text, (error, n) => {
            if (!error && n < text.length) {
                error = new Error('short write');
            }

            if (error || !this.sync) {
                return done(error);
            }

            fs.fdatasync(this.fd, done);
        });
    }
}


const [port, path, sync] = process.argv.slice(2);
const journal = new Journal(path, sync === 'sync');

const app = require('fastify')({
    bodyLimit: 65536,
    genReqId: () => randomUUID().replaceAll('-', ''),
    ajv: {
        customOptions: { coerceTypes: false, removeAdditional: false,
                         discriminator: true, allowUnionTypes: true },
    },
});

app.post('/enkod', { schema: { body } }, async (request, reply) => {
    try {
        await journal.append(line(request));
    } catch (error) {
        return reply.code(503).send();
    }

    return reply.send();
});

app.listen({ host: '127.0.0.1', port: Number(port) }).catch((error) => {
    console.error(error);
    process.exit(1);
});
