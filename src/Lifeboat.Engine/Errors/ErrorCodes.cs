using static Lifeboat.Engine.Errors.ExitStatus;

namespace Lifeboat.Engine.Errors;

/// <summary>
/// The registry of everything that can go wrong. Codes are permanent: none is ever reused or given another meaning.
/// Each has a section in docs/errors.md (a test compares the two). The thousands name the room that raises them.
/// </summary>
public static class ErrorCodes
{
    // 0xxx: the program
    public static readonly ErrorCode Internal = new("LB0001", "internal", Failed);
    public static readonly ErrorCode Cancelled = new("LB0002", "cancelled", ExitStatus.Cancelled);
    public static readonly ErrorCode Usage = new("LB0003", "usage", ExitStatus.Usage);
    public static readonly ErrorCode OutputFailed = new("LB0004", "output-failed", Failed);
    public static readonly ErrorCode DemoFailed = new("LB0005", "demo-failed", Damage);

    // 1xxx: the app file and secrets
    public static readonly ErrorCode AppFileMissing = new("LB1001", "app-file-missing", ExitStatus.Usage);
    public static readonly ErrorCode AppFileInvalid = new("LB1002", "app-file-invalid", ExitStatus.Usage);
    public static readonly ErrorCode AppFileExists = new("LB1003", "app-file-exists", ExitStatus.Usage);
    public static readonly ErrorCode TargetInvalid = new("LB1004", "target-invalid", ExitStatus.Usage);
    public static readonly ErrorCode TargetMissing = new("LB1005", "target-missing", ExitStatus.Usage);
    public static readonly ErrorCode SourceUnsupported = new("LB1006", "source-unsupported", Failed);
    public static readonly ErrorCode AppFolderUnusable = new("LB1007", "app-folder-unusable", Failed);
    public static readonly ErrorCode NotTrusted = new("LB1008", "not-trusted", Failed);
    public static readonly ErrorCode SnapshotsOwnAppFile = new("LB1009", "snapshots-own-app-file", ExitStatus.Usage);
    public static readonly ErrorCode SecretMissing = new("LB1101", "secret-missing", ExitStatus.Usage);
    public static readonly ErrorCode SecretUnusable = new("LB1102", "secret-unusable", ExitStatus.Usage);
    public static readonly ErrorCode SecretExposed = new("LB1103", "secret-exposed", ExitStatus.Warnings);
    public static readonly ErrorCode PasswordGuessable = new("LB1104", "password-guessable", ExitStatus.Warnings);

    public static readonly ErrorCode RedactUnknown = new("LB1201", "redact-unknown", ExitStatus.Usage);
    public static readonly ErrorCode RedactRefused = new("LB1202", "redact-refused", ExitStatus.Usage);
    public static readonly ErrorCode RedactIncomplete = new("LB1203", "redact-incomplete", Failed);

    // 2xxx: programs that Lifeboat starts
    public static readonly ErrorCode ProgramMissing = new("LB2001", "program-missing", Failed);
    public static readonly ErrorCode ProgramFailed = new("LB2002", "program-failed", Failed);
    public static readonly ErrorCode TooFewOpenFiles = new("LB2003", "too-few-open-files", Failed);

    // 3xxx: PostgreSQL
    public static readonly ErrorCode PostgresUnreachable = new("LB3001", "postgres-unreachable", Failed);
    public static readonly ErrorCode PostgresLoginRefused = new("LB3002", "postgres-login-refused", Failed);
    public static readonly ErrorCode PostgresDatabaseMissing = new("LB3003", "postgres-database-missing", Failed);
    public static readonly ErrorCode PostgresPermissionDenied = new("LB3004", "postgres-permission-denied", Failed);
    public static readonly ErrorCode PostgresOutOfResources = new("LB3005", "postgres-out-of-resources", Failed);
    public static readonly ErrorCode PostgresLockTimeout = new("LB3006", "postgres-lock-timeout", Failed);
    public static readonly ErrorCode PostgresConnectionLost = new("LB3007", "postgres-connection-lost", Failed);
    public static readonly ErrorCode PostgresToolsTooOld = new("LB3008", "postgres-tools-too-old", Failed);
    public static readonly ErrorCode PostgresToolsMissing = new("LB3009", "postgres-tools-missing", Failed);
    public static readonly ErrorCode PostgresServerTooOld = new("LB3010", "postgres-server-too-old", Failed);
    public static readonly ErrorCode PostgresSqlFailed = new("LB3011", "postgres-sql-failed", Failed);
    public static readonly ErrorCode PostgresUrlInvalid = new("LB3012", "postgres-url-invalid", ExitStatus.Usage);
    public static readonly ErrorCode PostgresRolePasswordsLeftOut = new("LB3013", "postgres-role-passwords-left-out", Warnings);
    public static readonly ErrorCode PostgresDataLeftOut = new("LB3014", "postgres-data-left-out", Warnings);
    public static readonly ErrorCode PostgresCopyDataInvalid = new("LB3015", "postgres-copy-data-invalid", Damage);
    public static readonly ErrorCode PostgresObjectVanished = new("LB3016", "postgres-object-vanished", Failed);
    public static readonly ErrorCode PostgresExtensionUnsupported = new("LB3017", "postgres-extension-unsupported", Failed);
    public static readonly ErrorCode PostgresNotRestorable = new("LB3020", "postgres-not-restorable", Warnings);
    public static readonly ErrorCode PostgresExtensionUnproven = new("LB3018", "postgres-extension-unproven", Warnings);
    public static readonly ErrorCode PostgresRedactionUnproven = new("LB3019", "postgres-redaction-unproven", Warnings);

    public static readonly ErrorCode PostgresTargetOlder = new("LB3101", "postgres-target-older", Failed);
    public static readonly ErrorCode PostgresExtensionMissing = new("LB3102", "postgres-extension-missing", Failed);
    public static readonly ErrorCode PostgresLocaleMissing = new("LB3103", "postgres-locale-missing", Failed);
    public static readonly ErrorCode PostgresRightMissing = new("LB3104", "postgres-right-missing", Failed);
    public static readonly ErrorCode PostgresRoleDiffers = new("LB3105", "postgres-role-differs", Warnings);
    public static readonly ErrorCode PostgresRoleLeftOut = new("LB3106", "postgres-role-left-out", Warnings);
    public static readonly ErrorCode PostgresGlobalsUnknown = new("LB3107", "postgres-globals-unknown", Warnings);
    public static readonly ErrorCode PostgresTablespaceReplaced = new("LB3108", "postgres-tablespace-replaced", Warnings);
    public static readonly ErrorCode PostgresDatabaseInUse = new("LB3109", "postgres-database-in-use", Failed);
    public static readonly ErrorCode PostgresNameTaken = new("LB3110", "postgres-name-taken", Failed);
    public static readonly ErrorCode PostgresRestoreFailed = new("LB3111", "postgres-restore-failed", Failed);
    public static readonly ErrorCode PostgresNotComparable = new("LB3113", "postgres-not-comparable", Warnings);
    public static readonly ErrorCode PostgresColumnOrder = new("LB3121", "postgres-column-order", Warnings);
    public static readonly ErrorCode PostgresViewNotFilled = new("LB3122", "postgres-view-not-filled", Warnings);
    public static readonly ErrorCode PostgresTablespaceUnusable = new("LB3123", "postgres-tablespace-unusable", Failed);
    public static readonly ErrorCode PostgresCollationVersion = new("LB3124", "postgres-collation-version", Warnings);
    public static readonly ErrorCode PostgresStagedChanged = new("LB3125", "postgres-staged-changed", Failed);
    public static readonly ErrorCode PostgresRowsUnfit = new("LB3126", "postgres-rows-unfit", Warnings);
    public static readonly ErrorCode PostgresOwnersUnconfined = new("LB3127", "postgres-owners-unconfined", Warnings);

    public static readonly ErrorCode PostgresNotADump = new("LB3131", "postgres-not-a-dump", Damage);
    public static readonly ErrorCode PostgresSessionChanged = new("LB3132", "postgres-session-changed", Failed);

    public static readonly ErrorCode MySqlUnreachable = new("LB3501", "mysql-unreachable", Failed);
    public static readonly ErrorCode MySqlLoginRefused = new("LB3502", "mysql-login-refused", Failed);
    public static readonly ErrorCode MySqlDatabaseMissing = new("LB3503", "mysql-database-missing", Failed);
    public static readonly ErrorCode MySqlPermissionDenied = new("LB3504", "mysql-permission-denied", Failed);
    public static readonly ErrorCode MySqlLockTimeout = new("LB3505", "mysql-lock-timeout", Failed);
    public static readonly ErrorCode MySqlConnectionLost = new("LB3506", "mysql-connection-lost", Failed);
    public static readonly ErrorCode MySqlSqlFailed = new("LB3507", "mysql-sql-failed", Failed);
    public static readonly ErrorCode MySqlUrlInvalid = new("LB3508", "mysql-url-invalid", ExitStatus.Usage);
    public static readonly ErrorCode MySqlToolsMissing = new("LB3509", "mysql-tools-missing", Failed);
    public static readonly ErrorCode MySqlOneWorker = new("LB3510", "mysql-one-worker", Warnings);
    public static readonly ErrorCode MySqlNotTransactional = new("LB3511", "mysql-not-transactional", Warnings);
    public static readonly ErrorCode MySqlAccountsLeftOut = new("LB3512", "mysql-accounts-left-out", Warnings);
    public static readonly ErrorCode MySqlSchemaChanged = new("LB3513", "mysql-schema-changed", Failed);
    public static readonly ErrorCode MySqlViewInvalid = new("LB3514", "mysql-view-invalid", Warnings);
    public static readonly ErrorCode MySqlRowsElsewhere = new("LB3515", "mysql-rows-elsewhere", Warnings);
    public static readonly ErrorCode MySqlHistoryUnwritable = new("LB3516", "mysql-history-unwritable", Warnings);
    public static readonly ErrorCode MySqlEventOver = new("LB3517", "mysql-event-over", Warnings);
    public static readonly ErrorCode MySqlRowTooLong = new("LB3518", "mysql-row-too-long", Warnings);
    public static readonly ErrorCode MySqlClientOptions = new("LB3519", "mysql-client-options", Failed);

    public static readonly ErrorCode MySqlServerDiffers = new("LB3551", "mysql-server-differs", Failed);
    public static readonly ErrorCode MySqlRightMissing = new("LB3552", "mysql-right-missing", Failed);
    public static readonly ErrorCode MySqlNameTaken = new("LB3553", "mysql-name-taken", Failed);
    public static readonly ErrorCode MySqlAccountDiffers = new("LB3554", "mysql-account-differs", Warnings);
    public static readonly ErrorCode MySqlReferencedFromOutside = new("LB3556", "mysql-referenced-from-outside", Failed);
    public static readonly ErrorCode MySqlPacketTooSmall = new("LB3557", "mysql-packet-too-small", Failed);
    public static readonly ErrorCode MySqlDirectoryLeftOut = new("LB3558", "mysql-directory-left-out", Warnings);
    public static readonly ErrorCode MySqlTableNotMovable = new("LB3559", "mysql-table-not-movable", Failed);
    public static readonly ErrorCode MySqlLoginShadowed = new("LB3560", "mysql-login-shadowed", Warnings);
    public static readonly ErrorCode MySqlStagedChanged = new("LB3561", "mysql-staged-changed", Failed);

    public static readonly ErrorCode MySqlNotADump = new("LB3562", "mysql-not-a-dump", Damage);

    // 4xxx: SQLite
    public static readonly ErrorCode SqliteMissing = new("LB4001", "sqlite-missing", Failed);
    public static readonly ErrorCode SqliteNotADatabase = new("LB4002", "sqlite-not-a-database", Failed);
    public static readonly ErrorCode SqliteBusy = new("LB4003", "sqlite-busy", Failed);
    public static readonly ErrorCode SqliteUnreadable = new("LB4004", "sqlite-unreadable", Failed);
    public static readonly ErrorCode SqliteDamaged = new("LB4005", "sqlite-damaged", Failed);
    public static readonly ErrorCode SqliteFailed = new("LB4006", "sqlite-failed", Failed);
    public static readonly ErrorCode SqliteInUse = new("LB4007", "sqlite-in-use", Failed);

    // 41xx: Chroma
    public static readonly ErrorCode ChromaUnusable = new("LB4101", "chroma-unusable", Failed);
    public static readonly ErrorCode ChromaChanging = new("LB4102", "chroma-changing", Failed);
    public static readonly ErrorCode ChromaIncomplete = new("LB4103", "chroma-incomplete", Warnings);
    public static readonly ErrorCode ChromaInUse = new("LB4104", "chroma-in-use", Failed);

    // 5xxx: files and settings
    public static readonly ErrorCode FilesRootUnusable = new("LB5001", "files-root-unusable", Failed);
    public static readonly ErrorCode FileUnreadable = new("LB5002", "file-unreadable", Failed);
    public static readonly ErrorCode FileChanging = new("LB5003", "file-changing", Warnings);
    public static readonly ErrorCode FileVanished = new("LB5004", "file-vanished", Warnings);
    public static readonly ErrorCode FileSkipped = new("LB5005", "file-skipped", Warnings);
    public static readonly ErrorCode ManifestInvalid = new("LB5006", "manifest-invalid", Damage);
    public static readonly ErrorCode TargetUnusable = new("LB5007", "target-unusable", Failed);
    public static readonly ErrorCode OwnersNotRestored = new("LB5008", "owners-not-restored", Warnings);
    public static readonly ErrorCode FileOperationFailed = new("LB5009", "file-operation-failed", Failed);
    public static readonly ErrorCode OwnerNamesDiffer = new("LB5010", "owner-names-differ", Warnings);
    public static readonly ErrorCode AttributesLeftOut = new("LB5011", "attributes-left-out", Warnings);
    public static readonly ErrorCode LinksNotRestored = new("LB5012", "links-not-restored", Warnings);
    public static readonly ErrorCode LeftAsItIs = new("LB5013", "left-as-it-is", Warnings);
    public static readonly ErrorCode ReferredFileMissing = new("LB5017", "referred-file-missing", Warnings);
    public static readonly ErrorCode ReferenceUnknown = new("LB5018", "reference-unknown", Failed);
    public static readonly ErrorCode SettingsFileMissing = new("LB5101", "settings-file-missing", Failed);
    public static readonly ErrorCode VariableMissing = new("LB5102", "variable-missing", Failed);
    public static readonly ErrorCode VariableUnusable = new("LB5103", "variable-unusable", Failed);
    public static readonly ErrorCode SettingsRedirected = new("LB5104", "settings-redirected", Warnings);

    // 6xxx: bundles and snapshots
    public static readonly ErrorCode NotABundle = new("LB6001", "not-a-bundle", Damage);
    public static readonly ErrorCode BundleDamaged = new("LB6002", "bundle-damaged", Damage);
    public static readonly ErrorCode WrongPassword = new("LB6003", "wrong-password", ExitStatus.WrongPassword);
    public static readonly ErrorCode SnapshotTooNew = new("LB6004", "snapshot-too-new", Failed);
    public static readonly ErrorCode SnapshotIncomplete = new("LB6005", "snapshot-incomplete", Damage);
    public static readonly ErrorCode ContentDiffers = new("LB6006", "content-differs", Damage);
    public static readonly ErrorCode EntryNameUnsafe = new("LB6007", "entry-name-unsafe", Damage);
    // LB6008 said that the Zstandard library was missing, which nothing needs any more.
    public static readonly ErrorCode NotAuthentic = new("LB6009", "not-authentic", Failed);
    public static readonly ErrorCode EncryptionContradicted = new("LB6010", "encryption-contradicted", Damage);

    // 7xxx: stores and storage
    public static readonly ErrorCode SnapshotNotFound = new("LB7001", "snapshot-not-found", NotFound);
    public static readonly ErrorCode StoreNotFound = new("LB7002", "store-not-found", NotFound);
    public static readonly ErrorCode DiskFull = new("LB7003", "disk-full", Failed);
    public static readonly ErrorCode StorageFailed = new("LB7004", "storage-failed", Failed);
    public static readonly ErrorCode SnapshotOfAnother = new("LB7005", "snapshot-of-another", Failed);
    public static readonly ErrorCode SnapshotAhead = new("LB7006", "snapshot-ahead", Warnings);
    public static readonly ErrorCode SnapshotRenamed = new("LB7007", "snapshot-renamed", Failed);

    // 8xxx: the operations
    public static readonly ErrorCode Locked = new("LB8001", "locked", ExitStatus.Locked);
    public static readonly ErrorCode NotEnoughSpace = new("LB8002", "not-enough-space", Failed);
    public static readonly ErrorCode RestoredDiffers = new("LB8003", "restored-differs", Damage);
    public static readonly ErrorCode Unencrypted = new("LB8004", "unencrypted", Warnings);
    public static readonly ErrorCode RestoreBlocked = new("LB8005", "restore-blocked", Failed);
    public static readonly ErrorCode RevertFailed = new("LB8006", "revert-failed", Failed);
    public static readonly ErrorCode SourceNotInSnapshot = new("LB8007", "source-not-in-snapshot", ExitStatus.Usage);
    public static readonly ErrorCode PartialSnapshot = new("LB8008", "partial-snapshot", Warnings);
    public static readonly ErrorCode JournalDamaged = new("LB8009", "journal-damaged", Failed);
    public static readonly ErrorCode JournalUncertain = new("LB8010", "journal-uncertain", Failed);
    public static readonly ErrorCode RestoreTakenBack = new("LB8011", "restore-taken-back", Warnings);
    public static readonly ErrorCode RestoreCompleted = new("LB8012", "restore-completed", Warnings);
    public static readonly ErrorCode NothingToUndo = new("LB8013", "nothing-to-undo", NotFound);
    public static readonly ErrorCode KeptStateMissing = new("LB8014", "kept-state-missing", Failed);
    public static readonly ErrorCode StrayState = new("LB8015", "stray-state", Warnings);
    public static readonly ErrorCode HookFailed = new("LB8016", "hook-failed", Failed);
    public static readonly ErrorCode RestoreUnsettled = new("LB8017", "restore-unsettled", Failed);
    public static readonly ErrorCode EvidenceNotWritten = new("LB8018", "evidence-not-written", Warnings);
    public static readonly ErrorCode KeptStateStays = new("LB8019", "kept-state-stays", Warnings);
    public static readonly ErrorCode RestoreInterrupted = new("LB8020", "restore-interrupted", Warnings);
    public static readonly ErrorCode ValuesLeftOut = new("LB8021", "values-left-out", Warnings);
    public static readonly ErrorCode NeutralizeFailed = new("LB8022", "neutralize-failed", Failed);
    public static readonly ErrorCode PartsUnsupported = new("LB8023", "parts-unsupported", ExitStatus.Usage);
    public static readonly ErrorCode PartNotInSnapshot = new("LB8024", "part-not-in-snapshot", ExitStatus.Usage);
    public static readonly ErrorCode PartDoesNotFit = new("LB8025", "part-does-not-fit", Failed);
    public static readonly ErrorCode KeptStateHoldsMore = new("LB8026", "kept-state-holds-more", Failed);
    public static readonly ErrorCode NeutralizeNothingChanged = new("LB8030", "neutralize-nothing-changed", Warnings);
    public static readonly ErrorCode RestoreCheckFailed = new("LB8040", "restore-check-failed", Warnings);
    public static readonly ErrorCode PlaceServed = new("LB8041", "place-served", Warnings);
    public static readonly ErrorCode RestoreUnfinished = new("LB8029", "restore-unfinished", Failed);
}
