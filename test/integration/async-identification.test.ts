/** The sample of a caller who is identified beside the call, on real servers and embedded. */
import { expect } from 'chai';
import { type Case, startDatabases } from '../../scripts/sample/async-identification/databases.ts';
import { type Played, play } from '../../scripts/sample/async-identification/play.ts';
import { eachStage } from '../support/stage.ts';

eachStage(
  'the sample async-identification',
  (get) => {
    async function played(name: Case): Promise<Played & { readonly asked: readonly string[] }> {
      const databases = await startDatabases(name);
      try {
        const { caller } = get();
        return { ...(await play((method, uri, data) => caller.ok(method, uri, data), name, databases)), asked: databases.asked };
      } finally {
        await databases.close();
      }
    }

    it('greets by name whom the third database knows', async () => {
      const { heard, atEnd, asked } = await played('known');
      expect(heard).to.have.length(3);
      expect(heard[2]).to.equal('Hello Ada Müller of Gamma.');
      expect(atEnd).to.deep.include({ status: 'SUCCESS', result: { known: 'true', name: 'Ada Müller', company: 'Gamma' } });
      expect([...asked].sort()).to.deep.equal(['alpha', 'beta', 'gamma']);
    });

    it('greets whom nobody knows all the same', async () => {
      const { heard, atEnd } = await played('unknown');
      expect(heard[2]).to.equal('Hello, please have your customer number ready.');
      expect(atEnd).to.deep.include({ status: 'SUCCESS', result: { known: 'false' } });
    });

    it('does not mind that the second database is down', async () => {
      const { heard, asked } = await played('second-down');
      expect(heard[2]).to.equal('Hello Ada Müller of Gamma.');
      expect(asked).not.to.include('beta');
    });

    it('does not make the caller wait for a job that is slower, which comes to its end all the same', async () => {
      const { heard, atHangup, atEnd } = await played('slow');
      expect(heard[2]).to.equal('Hello, please have your customer number ready.');
      expect(atHangup.status).to.equal('ONGOING');
      expect(atEnd).to.deep.include({ status: 'SUCCESS', result: { known: 'true', name: 'Ada Müller', company: 'Gamma' } });
    });
  },
  { http_allow_private: '127.0.0.1' },
);
