import { expect } from 'chai';
import { FlowError } from '../../../pkg/error/index.ts';
import { describeAddress, parseDsn } from '../../../pkg/store/dsn.ts';

const TCP = { user: 'testid', password: 'testpassword', host: '127.0.0.1', port: 3306, database: 'test', tls: 'off' };

describe('parseDsn', () => {
  const good: readonly (readonly [string, object])[] = [
    ['testid:testpassword@tcp(127.0.0.1:3306)/test', TCP],
    ['testid:testpassword@tcp(127.0.0.1)/test', TCP],
    ['testid:testpassword@/test', TCP],
    ['testid:testpassword@tcp/test', TCP],
    ['testid@tcp(db:3307)/test', { ...TCP, password: '', host: 'db', port: 3307 }],
    ['tcp(db:3307)/test', { ...TCP, user: '', password: '', host: 'db', port: 3307 }],
    ['testid:p@ss:w/o?r&d@tcp([::1]:3306)/test', { ...TCP, password: 'p@ss:w/o?r&d', host: '::1' }],
    ['testid:100%@tcp(db)/test', { ...TCP, password: '100%', host: 'db' }],
    [
      'u:p@unix(/run/mysqld/mysqld.sock)/test',
      { user: 'u', password: 'p', socketPath: '/run/mysqld/mysqld.sock', database: 'test', tls: 'off' },
    ],
    ['testid:testpassword@tcp(127.0.0.1:3306)/test?parseTime=true&loc=UTC&charset=utf8mb4&collation=x&timeout=5s', TCP],
    ['testid:testpassword@tcp(127.0.0.1:3306)/test?readTimeout=1s&writeTimeout=1s&multiStatements=true&interpolateParams=1', TCP],
    ['testid:testpassword@tcp(127.0.0.1:3306)/test?maxAllowedPacket=0&allowNativePasswords=true&clientFoundRows=true', TCP],
    ['testid:testpassword@tcp(127.0.0.1:3306)/test?tls=true', { ...TCP, tls: 'verify' }],
    ['testid:testpassword@tcp(127.0.0.1:3306)/test?parseTime=true&tls=skip-verify', { ...TCP, tls: 'skip-verify' }],
    ['testid:testpassword@tcp(127.0.0.1:3306)/test?tls=false', TCP],
    ['mysql://testid:testpassword@127.0.0.1:3306/test', TCP],
    ['mysql://testid:testpassword@127.0.0.1/test?tls=true', { ...TCP, tls: 'verify' }],
    ['mysql://te%73tid:p%40ss%2F@db/test', { ...TCP, password: 'p@ss/', host: 'db' }],
    ['mysql://testid:p@ss/w?rd@db:3307/test', { ...TCP, password: 'p@ss/w?rd', host: 'db', port: 3307 }],
    ['mysql://[::1]:3307/test', { ...TCP, user: '', password: '', host: '::1', port: 3307 }],
  ];
  for (const [dsn, address] of good) {
    it(`reads ${dsn}`, () => expect(parseDsn(dsn)).to.deep.equal(address));
  }

  const bad: readonly (readonly [string, string])[] = [
    ['', 'tcp(host:port)'],
    ['u:s3cret@tcp(db:3306)', 'tcp(host:port)'],
    ['u:s3cret@tcp(db:3306)/', 'names no database'],
    ['u:s3cret@udp(db:3306)/test', 'tcp(host:port)'],
    ['u:s3cret@db:3306/test', 'tcp(host:port)'],
    ['u:s3cret@tcp(db:99999)/test', 'host:port'],
    ['u:s3cret@tcp(db:3306)/test?sslmode=on', 'sslmode'],
    ['u:s3cret@tcp(db:3306)/test?tls=perhaps', 'tls'],
    ['mysql://u:s3cret@db/test?ssl-mode=REQUIRED', 'ssl-mode'],
    ['mysql://u:s3cret@db', 'names no database'],
  ];
  for (const [dsn, said] of bad) {
    it(`refuses ${dsn || 'nothing'}`, () => {
      expect(() => parseDsn(dsn))
        .to.throw(FlowError, said)
        .that.satisfies((error: FlowError) => error.reason === 'INVALID_DSN' && !error.message.includes('s3cret'));
    });
  }

  it('is shown without user and password', () => {
    expect(describeAddress(parseDsn('u:s3cret@tcp(db:3307)/test'))).to.equal('db:3307/test');
    expect(describeAddress(parseDsn('u:s3cret@unix(/s)/test'))).to.equal('/s/test');
  });
});
