import { expect } from 'chai';
import { maskSecrets } from '../../../pkg/log/index.ts';

describe('maskSecrets', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['amqp://guest:s3cret@localhost:5672', 'amqp://guest:***@localhost:5672'],
    ['amqps://u:p%40ss@[::1]:5671/vhost', 'amqps://u:***@[::1]:5671/vhost'],
    ['amqp://guest:p@ss@localhost/v', 'amqp://guest:***@localhost/v'],
    ['redis://:s3cret@localhost:6379/1', 'redis://:***@localhost:6379/1'],
    ['testid:testpassword@tcp(127.0.0.1:3306)/test', 'testid:***@tcp(127.0.0.1:3306)/test'],
    ['testid:p@ss/w:rd@tcp(127.0.0.1:3306)/test', 'testid:***@tcp(127.0.0.1:3306)/test'],
    ['--dbDSN=root:x@unix(/run/mysql.sock)/flow?tls=true', '--dbDSN=root:***@unix(/run/mysql.sock)/flow?tls=true'],
    ['mysql://flow:flow@db/flow?ssl=1 is down', 'mysql://flow:***@db/flow?ssl=1 is down'],
    ['from amqp://a:b@h1 to amqp://c:d@h2', 'from amqp://a:***@h1 to amqp://c:***@h2'],
    ['GET /v1/events?access_token=eyJhbGciOi.x.y&call=1', 'GET /v1/events?access_token=***&call=1'],
    ['Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.e30.abc', 'Authorization: Bearer ***'],
    ['https://example.com/a?b=c', 'https://example.com/a?b=c'],
    ['http://localhost:8080/a@b', 'http://localhost:8080/a@b'],
    ['connect ECONNREFUSED 127.0.0.1:5672', 'connect ECONNREFUSED 127.0.0.1:5672'],
  ];
  for (const [text, masked] of cases) {
    it(text, () => {
      expect(maskSecrets(text)).to.equal(masked);
    });
  }
});
