import type { ActionType } from './definition.ts';
import { agentCallAction } from './types/agent_call.ts';
import { aiSummaryAction } from './types/ai_summary.ts';
import { aiTalkAction } from './types/ai_talk.ts';
import { aiTaskAction } from './types/ai_task.ts';
import { amdAction } from './types/amd.ts';
import { answerAction } from './types/answer.ts';
import { beepAction } from './types/beep.ts';
import { blockAction } from './types/block.ts';
import { branchAction } from './types/branch.ts';
import { callAction } from './types/call.ts';
import { callbackCreateAction } from './types/callback_create.ts';
import { callbackWaitAction } from './types/callback_wait.ts';
import { caseCreateAction } from './types/case_create.ts';
import { conditionCallDigitsAction } from './types/condition_call_digits.ts';
import { conditionCallStatusAction } from './types/condition_call_status.ts';
import { conditionDatetimeAction } from './types/condition_datetime.ts';
import { conditionVariableAction } from './types/condition_variable.ts';
import { confbridgeJoinAction } from './types/confbridge_join.ts';
import { conferenceJoinAction } from './types/conference_join.ts';
import { connectAction } from './types/connect.ts';
import { conversationSendAction } from './types/conversation_send.ts';
import { digitsReceiveAction } from './types/digits_receive.ts';
import { digitsSendAction } from './types/digits_send.ts';
import { dtmfReceiveAction } from './types/dtmf_receive.ts';
import { dtmfSendAction } from './types/dtmf_send.ts';
import { echoAction } from './types/echo.ts';
import { emailSendAction } from './types/email_send.ts';
import { emptyAction } from './types/empty.ts';
import { externalMediaStartAction } from './types/external_media_start.ts';
import { externalMediaStopAction } from './types/external_media_stop.ts';
import { fetchAction } from './types/fetch.ts';
import { fetchFlowAction } from './types/fetch_flow.ts';
import { gotoAction } from './types/goto.ts';
import { hangupAction } from './types/hangup.ts';
import { httpRequestAction } from './types/http_request.ts';
import { jobStartAction } from './types/job_start.ts';
import { jobWaitAction } from './types/job_wait.ts';
import { messageSendAction } from './types/message_send.ts';
import { muteAction } from './types/mute.ts';
import { parallelAction } from './types/parallel.ts';
import { participantSetAction } from './types/participant_set.ts';
import { playAction } from './types/play.ts';
import { queueJoinAction } from './types/queue_join.ts';
import { recordingStartAction } from './types/recording_start.ts';
import { recordingStopAction } from './types/recording_stop.ts';
import { sleepAction } from './types/sleep.ts';
import { stopAction } from './types/stop.ts';
import { streamEchoAction } from './types/stream_echo.ts';
import { talkAction } from './types/talk.ts';
import { transcribeRecordingAction } from './types/transcribe_recording.ts';
import { transcribeStartAction } from './types/transcribe_start.ts';
import { transcribeStopAction } from './types/transcribe_stop.ts';
import { variableSetAction } from './types/variable_set.ts';
import { webhookSendAction } from './types/webhook_send.ts';
import { workflowResponseAction } from './types/workflow_response.ts';

/** Every type of action, by name. A new one is a file in types/ and its two lines here. */
export const ACTION_TYPES: readonly ActionType[] = [
  agentCallAction,
  aiSummaryAction,
  aiTalkAction,
  aiTaskAction,
  amdAction,
  answerAction,
  beepAction,
  blockAction,
  branchAction,
  callAction,
  callbackCreateAction,
  callbackWaitAction,
  caseCreateAction,
  conditionCallDigitsAction,
  conditionCallStatusAction,
  conditionDatetimeAction,
  conditionVariableAction,
  confbridgeJoinAction,
  conferenceJoinAction,
  connectAction,
  conversationSendAction,
  digitsReceiveAction,
  digitsSendAction,
  dtmfReceiveAction,
  dtmfSendAction,
  echoAction,
  emailSendAction,
  emptyAction,
  externalMediaStartAction,
  externalMediaStopAction,
  fetchAction,
  fetchFlowAction,
  gotoAction,
  hangupAction,
  httpRequestAction,
  jobStartAction,
  jobWaitAction,
  messageSendAction,
  muteAction,
  parallelAction,
  participantSetAction,
  playAction,
  queueJoinAction,
  recordingStartAction,
  recordingStopAction,
  sleepAction,
  stopAction,
  streamEchoAction,
  talkAction,
  transcribeRecordingAction,
  transcribeStartAction,
  transcribeStopAction,
  variableSetAction,
  webhookSendAction,
  workflowResponseAction,
];

// A map and not an object: a type named "constructor" must find nothing.
const byName = new Map(ACTION_TYPES.flatMap((type) => [type.type, ...(type.aliases ?? [])].map((name) => [name, type] as const)));

/** The type by its name or an older name of it; undefined when there is none. */
export function actionType(type: string): ActionType | undefined {
  return byName.get(type);
}

/** All names, older ones too. */
export function actionTypeNames(): readonly string[] {
  return [...byName.keys()];
}
