/**
 * What a server writes in its language (`lc_messages`): severities, the words before what belongs to an entry, and the
 * message of `log_connections`. From the message catalogs that PostgreSQL 15 ships; translators change their words from
 * one version to the next. pgAudit's records are never translated.
 */

export interface Language {
  /** In front of `: ` and a blank: DEBUG, INFO, NOTICE, WARNING, LOG, ERROR, FATAL, PANIC. */
  readonly severities: readonly string[];
  /** The one of them that connections have. */
  readonly log: string;
  /** Lines that belong to the entry before them: DETAIL, HINT, QUERY, CONTEXT, BACKTRACE, STATEMENT, LOCATION. */
  readonly additions: readonly string[];
  /** `connection received: host=` */
  readonly received: string;
  /** `connection authorized: user=` */
  readonly authorized: string;
  /** `replication connection authorized: user=` */
  readonly replication: string;
  /** ` database=` */
  readonly database: string;
  /** ` application_name=` */
  readonly application: string;
  /** ` SSL enabled` */
  readonly encrypted: string;
}

const english: Language = {
  severities: ['DEBUG', 'INFO', 'NOTICE', 'WARNING', 'LOG', 'ERROR', 'FATAL', 'PANIC'],
  log: 'LOG',
  additions: ['DETAIL', 'HINT', 'QUERY', 'CONTEXT', 'BACKTRACE', 'STATEMENT', 'LOCATION'],
  received: 'connection received: host=',
  authorized: 'connection authorized: user=',
  replication: 'replication connection authorized: user=',
  database: ' database=',
  application: ' application_name=',
  encrypted: ' SSL enabled',
};

/** Where a language's catalog has no word of its own, the server writes the English one. */
function inside(words: Partial<Language>): Language {
  return { ...english, ...words };
}

export const languages: readonly Language[] = [
  english,
  inside({
    severities: ['DEBUG', 'INFO', 'HINWEIS', 'WARNUNG', 'LOG', 'FEHLER', 'FATAL', 'PANIK'],
    additions: ['DETAIL', 'TIPP', 'ANFRAGE', 'ZUSAMMENHANG', 'BACKTRACE', 'ANWEISUNG', 'ORT'],
    received: 'Verbindung empfangen: Host=',
    authorized: 'Verbindung autorisiert: Benutzer=',
    replication: 'Replikationsverbindung autorisiert: Benutzer=',
    database: ' Datenbank=',
    encrypted: ' SSL an',
  }),
  inside({
    additions: ['DETALLE', 'HINT', 'CONSULTA', 'CONTEXTO', 'BACKTRACE', 'SENTENCIA', 'UBICACIÓN'],
    received: 'conexión recibida: host=',
    authorized: 'conexión autorizada: usuario=',
    replication: 'conexión de replicación autorizada: usuario=',
    database: ' base_de_datos=',
    application: ' nombre_de_aplicación=',
    encrypted: ' SSL habilitado',
  }),
  inside({
    severities: ['DEBUG', 'INFO', 'NOTICE', 'ATTENTION', 'LOG', 'ERREUR', 'FATAL', 'PANIC'],
    additions: ['DÉTAIL', 'ASTUCE ', 'REQUÊTE ', 'CONTEXTE ', "PILE D'APPEL ", 'INSTRUCTION ', 'EMPLACEMENT '],
    received: 'connexion reçue : hôte=',
    authorized: 'connexion autorisée : utilisateur=',
    replication: 'connexion de réplication autorisée : utilisateur=',
    database: ' base de données ',
    encrypted: ' SSL activé',
  }),
  inside({
    severities: ['DEBUG', 'INFO', 'NOTIFICA', 'ATTENZIONE', 'LOG', 'ERRORE', 'FATALE', 'PANICO'],
    additions: ['DETTAGLI', 'SUGGERIMENTO', 'QUERY', 'CONTESTO', 'BACKTRACE', 'ISTRUZIONE', 'POSIZIONE'],
    received: 'connessione ricevuta: host=',
    authorized: 'connessione autorizzata: utente=',
    replication: 'connessione di replica autorizzata: utente=',
    database: ' database ',
    encrypted: ' connessione SSL abilitata',
  }),
  inside({
    additions: ['詳細', 'ヒント', '問い合わせ', '文脈', 'バックトレース', '文', '場所'],
    received: '接続を受け付けました: ホスト=',
    authorized: '接続の認証完了: ユーザー=',
    replication: 'レプリケーション接続の認証完了: ユーザー=',
    database: ' データベース=',
    encrypted: ' SSL有効',
  }),
  inside({
    severities: ['გამართვა', 'ინფორმაცია', 'გაფრთხილება', 'ჟურნალი', 'შეცდომა', 'ფატალური', 'პანიკა'],
    additions: ['დეტალები', 'მინიშნება', 'მოთხოვნა', 'კონტექსტი', 'სტეკი', 'ოპერატორი', 'მდებარეობა'],
    log: 'ჟურნალი',
    received: 'შემოსული დაკავშირება: ჰოსტი=',
    authorized: 'შეერთება ავტორიზებულია: მომხმარებელი=',
    replication: 'რეპლიკაციის შეერთება ავტორიზებულია: მომხმარებელი=',
    database: ' ბაზა=',
    application: ' აპლიკაციის_სახელი=',
    encrypted: ' SSL ჩართულია',
  }),
  inside({
    severities: ['디버그', '정보', '알림', '경고', '로그', '오류', '치명적오류', '손상'],
    additions: ['상세정보', '힌트', '쿼리', '내용', '역추적', '명령 구문', '위치'],
    log: '로그',
    received: '접속 수락: host=',
    authorized: '연결 인증: user=',
    replication: '복제 연결 인증: user=',
    encrypted: ' SSL 활성화',
  }),
  inside({
    severities: ['ОТЛАДКА', 'ИНФОРМАЦИЯ', 'ЗАМЕЧАНИЕ', 'ПРЕДУПРЕЖДЕНИЕ', 'СООБЩЕНИЕ', 'ОШИБКА', 'ВАЖНО', 'ПАНИКА'],
    additions: ['ПОДРОБНОСТИ', 'ПОДСКАЗКА', 'ЗАПРОС', 'КОНТЕКСТ', 'СТЕК', 'ОПЕРАТОР', 'ПОЛОЖЕНИЕ'],
    log: 'СООБЩЕНИЕ',
    received: 'принято подключение: узел=',
    authorized: 'подключение авторизовано: пользователь=',
    replication: 'подключение для репликации авторизовано: пользователь=',
    database: ' база=',
    application: ' приложение=',
    encrypted: ' SSL включён',
  }),
  inside({
    severities: ['DEBUG', 'INFO', 'NOTIS', 'VARNING', 'LOGG', 'FEL', 'FATALT', 'PANIK'],
    additions: ['DETALJ', 'TIPS', 'FRÅGA', 'KONTEXT', 'BACKTRACE', 'SATS', 'PLATS'],
    log: 'LOGG',
    received: 'ansluting mottagen: värd=',
    authorized: 'anslutning auktoriserad: användare=',
    replication: 'replikeringsanslutning auktoriserad: användare=',
    // as in the catalog: without a blank
    database: 'databas=',
    application: ' applikationsnamn=',
    encrypted: 'SSL påslagen',
  }),
  inside({
    severities: [
      'НАЛАГОДЖЕННЯ',
      'ІНФОРМАЦІЯ',
      'ПОВІДОМЛЕННЯ',
      'ПОПЕРЕДЖЕННЯ',
      'ЗАПИСУВАННЯ',
      'ПОМИЛКА',
      'ФАТАЛЬНО',
      'ПАНІКА',
    ],
    additions: ['ВІДОМОСТІ', 'УКАЗІВКА', 'ЗАПИТ', 'КОНТЕКСТ', 'ВІДСТЕЖУВАТИ', 'ІНСТРУКЦІЯ', 'РОЗТАШУВАННЯ'],
    log: 'ЗАПИСУВАННЯ',
    received: "з'єднання отримано: хост=",
    authorized: 'підключення авторизовано: користувач=',
    replication: 'підключення для реплікації авторизовано: користувач=',
    encrypted: ' SSL активовано',
  }),
  inside({
    severities: ['调试', '信息', '注意', '警告', '日志', '错误', '致命错误', '比致命错误还过分的错误'],
    log: '日志',
    additions: ['详细信息', '提示', '查询', '上下文', 'BACKTRACE', '语句', '位置'],
    received: '已接收到连接: 主机=',
    replication: '复制连接已经授权: 用户=',
  }),
  inside({
    severities: ['调试', '信息', '注意', '警告', '日志', '错误', '致命错误', '灾难性错误'],
    additions: ['详情', '提示', '查询', '上下文', '回溯', '语句', '位置'],
    log: '日志',
    received: '已接收到连接: host=',
    authorized: '连接已授权: user=',
    replication: '复制连接已授权: user=',
    encrypted: ' 已启用 SSL',
  }),
  inside({
    severities: ['除錯', '資訊', '注意', '警告', '日誌', '錯誤', '致命錯誤', '嚴重錯誤'],
    additions: ['詳情', '提示', '查詢', '上下文', '回溯', '陳述式', '位置'],
    log: '日誌',
    received: '連線已接收: host=',
    authorized: '連線已授權: user=',
    replication: '複寫連線已授權: user=',
    encrypted: ' 已啟用 SSL',
  }),
];
