/** The HTTP gateway of a whole daemon: on servers and embedded. */
import { expect } from 'chai';
import { eachStage } from '../support/stage.ts';

eachStage('the gateway', (get) => {
  it('serves its OpenAPI document, with the address that it has for others', async () => {
    const answer = await fetch(`${get().gateway}/openapi.json`);
    const document = (await answer.json()) as { openapi: string; paths: object };
    expect([answer.status, document.openapi]).to.deep.equal([200, '3.1.0']);
    expect(document.paths).to.have.property('/openapi.json');
  });

  it('takes request envelopes only when it is embedded', async () => {
    const { kind, gateway } = get();
    const answer = await fetch(`${gateway}/rpc`, { method: 'POST', body: '{"uri":"/v1/flows","method":"GET"}' });
    expect(answer.status).to.equal(kind === 'embedded' ? 200 : 404);
  });

  it('refuses what it does not know in the one form of errors, and counts it', async () => {
    const { gateway, metrics } = get();
    const answer = await fetch(`${gateway}/v1/nothing`, { method: 'POST', body: 'x' });
    const { reason, domain } = (await answer.json()) as { reason: string; domain: string };
    expect([answer.status, reason, domain]).to.deep.equal([404, 'ROUTE_NOT_FOUND', 'flow-manager']);
    expect(await (await fetch(metrics)).text()).to.match(
      /flow_manager_http_gateway_request_total\{route="unknown",method="other",status="404"\} [1-9]/,
    );
  });
});
