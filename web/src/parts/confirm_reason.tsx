// Something that needs a reason: asks for it, does it, and shows what went wrong where the reason was typed.
import { Form, Input, Modal } from 'antd'
import type { ReactNode } from 'react'
import type { Problem } from '../api/problem'
import { ProblemView } from './problem_view'
import { useWords } from './words'

const LONGEST = 2000

interface Props {
  open: boolean
  title: string
  /** What will happen. */
  children?: ReactNode
  /** The word on the button. */
  action?: string
  isDanger?: boolean
  isBusy?: boolean
  problem?: Problem | null
  onConfirm: (reason: string) => void
  onCancel: () => void
}

export function ConfirmReason(props: Props) {
  const { t } = useWords()
  const [form] = Form.useForm<{ reason: string }>()
  return (
    <Modal
      open={props.open}
      title={props.title}
      okText={props.action ?? t('confirm')}
      cancelText={t('cancel')}
      okButtonProps={{ danger: props.isDanger, loading: props.isBusy }}
      onOk={form.submit}
      onCancel={props.onCancel}
      mask={{ closable: false }}
      destroyOnHidden
    >
      {props.children}
      <Form
        form={form}
        layout="vertical"
        requiredMark={false}
        clearOnDestroy
        onFinish={({ reason }) => props.onConfirm(reason.trim())}
      >
        <Form.Item
          name="reason"
          label={t('reason')}
          rules={[{ required: true, whitespace: true, message: t('reason_needed') }]}
        >
          <Input.TextArea autoFocus rows={3} maxLength={LONGEST} showCount />
        </Form.Item>
      </Form>
      {props.problem && <ProblemView problem={props.problem} isSmall />}
    </Modal>
  )
}
