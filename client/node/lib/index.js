"use strict";

const { Answer } = require("./answer");
const { Client, NoAnswer, connect } = require("./client");
const { errorOf } = require("./errors");
const { timestampOf } = require("./messages");

module.exports = { Answer, Client, NoAnswer, connect, errorOf, timestampOf };
